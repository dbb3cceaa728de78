"""A recipe with a PostgreSQL of its own, as whose account everything runs."""
import unittest

import recipe
from support import postgres


class DatabaseRecipeTest(recipe.RecipeTest):
    @classmethod
    def setUpClass(cls):
        if postgres.missing():
            print(f"SKIPPED: {postgres.missing()}")
            raise unittest.SkipTest(postgres.missing())
        super().setUpClass()

    def setUp(self):
        # Not started: its settings and its account come first.
        self.database = postgres.Server()
        self.addCleanup(self.database.close)
        type(self).account = self.database.account
        super().setUp()
        self.database.environment = self.environment()

    def environment(self):
        mine = super().environment()
        return mine | {"PATH": f"{self.bin}:{self.database.programs}:{mine['PATH']}", "PGHOST": str(self.database.folder),
                       "PGUSER": "dare", "PGDATABASE": "postgres"}
