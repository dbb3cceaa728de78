#!/usr/bin/python3
"""KMIP over HTTPS: the three encodings with curl and mutual TLS, one engine behind them and the KMIP port."""
import http.client
import json
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import fixture  # noqa: E402
from support.kmip_client import KmipFailure  # noqa: E402

TTLV, XML, JSON = "application/octet-stream", "text/xml", "application/json"


def xml(operation, payload="", version=(2, 1), header=""):
    return (f'<RequestMessage><RequestHeader><ProtocolVersion><ProtocolVersionMajor type="Integer" value="{version[0]}"/>'
            f'<ProtocolVersionMinor type="Integer" value="{version[1]}"/></ProtocolVersion>{header}'
            f'<BatchCount type="Integer" value="1"/></RequestHeader><BatchItem><Operation type="Enumeration" '
            f'value="{operation}"/><RequestPayload>{payload}</RequestPayload></BatchItem></RequestMessage>').encode()


def structure(tag, *members):
    return {"tag": tag, "value": list(members)}


def leaf(tag, kind, value):
    return {"tag": tag, "type": kind, "value": value}


def json_request(operation, *payload, version=(2, 1)):
    return json.dumps(structure(
        "RequestMessage",
        structure("RequestHeader",
                  structure("ProtocolVersion", leaf("ProtocolVersionMajor", "Integer", version[0]),
                            leaf("ProtocolVersionMinor", "Integer", version[1])),
                  leaf("BatchCount", "Integer", 1)),
        structure("BatchItem", leaf("Operation", "Enumeration", operation),
                  structure("RequestPayload", *payload)))).encode()


def find(item, tag):
    """The value of the first item with this tag below `item`, of an answer in JSON."""
    if item["tag"] == tag:
        return item["value"]
    if isinstance(item["value"], list):
        for member in item["value"]:
            found = find(member, tag)
            if found is not None:
                return found
    return None


def attribute(text, tag):
    """The value of the first element with this name, of an answer in XML."""
    return re.search(rf'<{tag} type="\w+" value="([^"]*)"', text)[1]


CREATE_AES = (leaf("ObjectType", "Enumeration", "SymmetricKey"),
              structure("Attributes", leaf("CryptographicAlgorithm", "Enumeration", "AES"),
                        leaf("CryptographicLength", "Integer", 256),
                        leaf("CryptographicUsageMask", "Integer", "Encrypt|Decrypt")))


class Https(fixture.KmsTest):
    clients = ("alice", "bob")

    def url(self, path="/kmip"):
        host, port = self.kms.https
        return f"https://{host}:{port}{path}"

    def curl(self, *options, who="alice", path="/kmip", body=None, expect=False):
        """(status, headers, body) by the curl program."""
        if shutil.which("curl") is None:
            self.skipTest("curl is not installed")
        words = ["curl", "-sS", "-i", "--max-time", "30", "--cacert", str(self.kms.ca), *options]
        if who:
            identity = self.kms.identity(who)
            words += ["--cert", str(identity.certificate), "--key", str(identity.key)]
        if body is not None:
            words += ["--data-binary", "@-"] + ([] if expect else ["-H", "Expect:"])
        done = subprocess.run([*words, self.url(path)], input=body or b"", capture_output=True, check=True)
        head, _, answer = done.stdout.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:])
        return int(lines[0].split()[1]), headers, answer

    def post(self, content_type, body, **more):
        return self.curl("-H", f"Content-Type: {content_type}", body=body, **more)

    def kmip_xml(self, operation, payload="", **more):
        status, headers, body = self.post(XML, xml(operation, payload, **more))
        self.assertEqual((status, headers["content-type"]), (200, XML))
        self.assertEqual(headers["cache-control"], "no-cache")
        self.assertEqual(int(headers["content-length"]), len(body))
        return body.decode()

    def kmip_json(self, operation, *payload, who="alice"):
        status, headers, body = self.post(JSON, json_request(operation, *payload), who=who)
        self.assertEqual((status, headers["content-type"]), (200, JSON))
        return json.loads(body)

    def test_one_engine_answers_every_encoding_and_the_kmip_port(self):
        created = self.kmip_json("Create", *CREATE_AES)  # a change: answered by the writer, later
        self.assertEqual(find(created, "ResultStatus"), "Success")
        identifier = find(created, "UniqueIdentifier")
        by_xml = self.kmip_xml("Get", f'<UniqueIdentifier type="TextString" value="{identifier}"/>')
        self.assertEqual(attribute(by_xml, "CryptographicAlgorithm"), "AES")
        material = attribute(by_xml, "KeyMaterial")
        self.assertEqual(len(material), 64)
        got = self.kmip_json("Get", leaf("UniqueIdentifier", "TextString", identifier))
        self.assertEqual(find(got, "KeyMaterial"), material)
        with self.client("alice") as client:
            self.assertIn(bytes.fromhex(material), bytes(client.exchange_bytes(self.get_request(identifier))))
        status, headers, body = self.post(TTLV, self.get_request(identifier))
        self.assertEqual((status, headers["content-type"]), (200, TTLV))
        self.assertEqual(body[:4], bytes.fromhex("42007b01"))
        self.assertIn(bytes.fromhex(material), body)

    def get_request(self, identifier):
        """Get in TTLV, made by hand: header 2.1, one item."""
        def part(tag, kind, value):
            return bytes.fromhex(tag + kind) + len(value).to_bytes(4, "big") + value + bytes(-len(value) % 8)

        def number(tag, kind, value):
            return part(tag, kind, value.to_bytes(4, "big"))
        version = part("420069", "01", number("42006a", "02", 2) + number("42006b", "02", 1))
        header = part("420077", "01", version + number("42000d", "02", 1))
        payload = part("420079", "01", part("420094", "07", identifier.encode()))
        return part("420078", "01", header + part("42000f", "01", number("42005c", "05", 0x0A) + payload))

    def test_a_principal_is_its_certificate_here_too(self):
        identifier = find(self.kmip_json("Create", *CREATE_AES), "UniqueIdentifier")
        refused = self.kmip_json("Get", leaf("UniqueIdentifier", "TextString", identifier), who="bob")
        self.assertEqual(find(refused, "ResultStatus"), "OperationFailed")
        with self.client("bob") as client, self.assertRaises(KmipFailure):
            client.get(identifier)
        self.assertTrue(self.kms.audit_has('"Get"', identifier, "bob"))

    def test_strangers_get_no_further_than_enrolment(self):
        self.assertEqual(self.post(XML, xml("Query"), who=None)[0], 403)
        self.assertEqual(self.post(XML, b"x" * 70000, who=None)[0], 413)
        for path in ("/healthz", "/readyz"):
            status, _, body = self.curl(who=None, path=path)
            self.assertEqual((status, json.loads(body)["status"]), (200, "ok"))
        self.assertEqual(self.curl(who=None, path="/.well-known/est/cacerts")[0], 200)

    def test_http_errors_are_told_from_kmip_errors(self):
        self.assertEqual(self.curl()[0], 405)
        self.assertEqual(self.post("text/plain", xml("Query"))[0], 415)
        self.assertEqual(self.curl("-H", "Transfer-Encoding: chunked", "-H", f"Content-Type: {XML}",
                                   body=xml("Query"))[0], 411)
        self.assertEqual(self.post(XML, b" " * (8 << 20))[0], 413)
        self.assertEqual(self.post(XML, xml("Query"), path="/kmip/")[0], 404)

    def test_what_cannot_be_read_is_answered_in_kmip(self):
        bombs = (b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;">]>' + xml("Query"),
                 xml("Query")[:-3], xml("NoSuchOperation"), b"", b"\x00\x01", b"<RequestMessage>" * 5000)
        for body in bombs:
            status, headers, answer = self.post(XML, body)
            self.assertEqual((status, headers["content-type"]), (200, XML), answer)
            self.assertEqual(attribute(answer.decode(), "ResultStatus"), "OperationFailed")
        for body in (b"{", json_request("NoSuchOperation"), b'{"tag":"RequestMessage"}', b"[" * 100000):
            status, headers, answer = self.post(JSON, body)
            self.assertEqual((status, headers["content-type"]), (200, JSON), answer)
            self.assertEqual(find(json.loads(answer), "ResultStatus"), "OperationFailed")
        for body in (b"", b"\x42", xml("Query"), bytes(4096)):
            status, headers, answer = self.post(TTLV, body)
            self.assertEqual((status, headers["content-type"]), (200, TTLV), answer)
            self.assertEqual(answer[:4], bytes.fromhex("42007b01"))
        self.assertTrue(self.kms.audit_has("alice", '"message"', "document type"))

    def test_what_cannot_be_read_is_answered_in_its_version(self):
        for version in ((1, 2), (2, 0)):
            for answer in (self.post(XML, xml("NoSuchOperation", version=version))[2].decode(),
                           self.post(XML, xml("Get", version=version)[:-20])[2].decode()):
                self.assertEqual(attribute(answer, "ResultStatus"), "OperationFailed")
                self.assertEqual(attribute(answer, "ProtocolVersionMajor"), str(version[0]))
                self.assertEqual(attribute(answer, "ProtocolVersionMinor"), str(version[1]))
            answer = json.loads(self.post(JSON, json_request("NoSuchOperation", version=version))[2])
            self.assertEqual(find(answer, "ProtocolVersionMinor"), f"0x{version[1]:08x}")

    def test_versions_are_answered_in_themselves(self):
        for version in ((1, 0), (1, 4), (2, 0), (2, 1)):
            answer = self.kmip_xml("Query", '<QueryFunction type="Enumeration" value="QueryObjects"/>', version=version)
            self.assertEqual(attribute(answer, "ProtocolVersionMajor"), str(version[0]))
            self.assertEqual(attribute(answer, "ProtocolVersionMinor"), str(version[1]))
            self.assertIn('<ObjectType type="Enumeration" value="SymmetricKey"/>', answer)

    def test_the_size_that_a_client_takes_is_that_of_ttlv(self):
        query = '<QueryFunction type="Enumeration" value="QueryOperations"/>'
        header = '<MaximumResponseSize type="Integer" value="{}"/>'
        answer = self.kmip_xml("Query", query, header=header.format(256))
        self.assertEqual(attribute(answer, "ResultReason"), "ResponseTooLarge")
        answer = self.kmip_xml("Query", query, header=header.format(1400))
        self.assertGreater(len(answer), 1400)
        self.assertEqual(attribute(answer, "ResultStatus"), "Success")

    def test_connections_are_kept(self):
        context = self.kms.identity("alice").context()
        context.check_hostname = False
        connection = http.client.HTTPSConnection(*self.kms.https, context=context, timeout=30)
        socket = None
        for content_type, body in ((XML, xml("DiscoverVersions")), (JSON, json_request("Create", *CREATE_AES)),
                                   (TTLV, self.get_request("none")), (XML, xml("DiscoverVersions"))):
            connection.request("POST", "/kmip", body, {"Content-Type": content_type})
            answer = connection.getresponse()
            self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, content_type))
            answer.read()
            self.assertIn(socket, (None, connection.sock))
            socket = connection.sock
        connection.close()

    def test_clients_that_wait_for_a_word_are_told_to_go_ahead(self):
        body = json_request("Create", *CREATE_AES)
        for _ in range(2):
            done = self.curl("-H", "Expect: 100-continue", "--expect100-timeout", "20", "-H", f"Content-Type: {JSON}",
                             "-w", "\n%{time_total}", body=body, expect=True)
            self.assertEqual(done[0], 100)
            final, _, answer = done[2].partition(b"\r\n\r\n")
            self.assertIn(b" 200 ", final.split(b"\r\n")[0])
            answer, _, seconds = answer.rpartition(b"\n")
            self.assertEqual(find(json.loads(answer), "ResultStatus"), "Success")
            self.assertLess(float(seconds), 15)
        # Refused before the body came.
        self.assertEqual(self.curl("-H", "Expect: 100-continue", "--expect100-timeout", "20", "-H",
                                   f"Content-Type: {XML}", body=b" " * (8 << 20), expect=True)[0], 413)

    def test_http_1_0_is_spoken(self):
        status, headers, _ = self.curl("--http1.0", "-H", f"Content-Type: {XML}", body=xml("DiscoverVersions"))
        self.assertEqual((status, headers.get("connection")), (200, "close"))
        status, headers, _ = self.curl("--http1.0", "-H", f"Content-Type: {JSON}", "-H", "Connection: keep-alive",
                                       body=json_request("Create", *CREATE_AES))
        self.assertEqual((status, headers.get("connection")), (200, "keep-alive"))

    def test_it_can_be_switched_off(self):
        self.kms.configure("https", "kmip", False)
        self.kms.restart()
        try:
            self.assertEqual(self.post(XML, xml("Query"))[0], 404)
        finally:
            self.kms.configure("https", "kmip", True)
            self.kms.restart()


if __name__ == "__main__":
    unittest.main()
