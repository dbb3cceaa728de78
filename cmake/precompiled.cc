// A target needs a source; DarePrecompiled.cmake wants only the headers compiled beside it.
