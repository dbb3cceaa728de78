"""What a policy in force costs a request: the same load in turns on a server without one and on one with it."""
from files import REPEAT

# Three domains and grants that look at names, groups, addresses and the hour of everything that is asked for. The asker owns
# what it uses, as most do.
POLICY = """format = 1
[[domain]]
name = "default"
[[domain.group]]
name = "backup"
certificates = true
[domain.roles]
custodian = ["principal:carol"]
auditor = ["principal:audit-*"]
client = ["principal:*"]
[[domain.grant]]
name = "no-clear-keys"
effect = "deny"
to = ["principal:*"]
operations = ["Get", "Export"]
objects = ["never-*", "no-*-either"]
[[domain.grant]]
name = "reports"
to = ["group:backup", "principal:b*"]
operations = ["use"]
object_groups = ["reports"]
addresses = ["10.0.0.0/8", "2001:db8::/32"]
hours = "20:00-06:00"
[[domain.grant]]
name = "on-call"
to = ["principal:oscar"]
operations = ["Decrypt"]
objects = ["backup-*"]
rate = "100/60s"

[[domain]]
name = "payments"
members = ["pay-*", "petra"]
[domain.roles]
custodian = ["principal:petra"]
client = ["principal:pay-app1", "principal:pay-app2"]

[[domain]]
name = "health"
members = ["health-*", "hugo"]
[domain.roles]
custodian = ["principal:hugo"]
client = ["principal:health-*"]
"""


def policy_row(make_server, operation, clients):
    from support.kill_switch import administer
    plain, ruled = make_server(), make_server()
    try:
        file = ruled.kms.clients / "policy.toml"
        file.write_text(POLICY, "utf-8")
        administer(ruled.kms, "admin", "policy", "apply", file)
        # In turns, so that a machine that becomes slower meanwhile does so for both.
        pairs = [(plain.load(operation, clients), ruled.load(operation, clients)) for _ in range(REPEAT + 1)][1:]
    finally:
        plain.close()
        ruled.close()
    before = max(load["ops_per_second"] for load, _ in pairs)
    mine = max((load for _, load in pairs), key=lambda load: load["ops_per_second"])
    return dict(value=mine["ops_per_second"], unit="ops/s", limit_name="the same without a policy", limit=before, aim=0.9,
                note=f"three domains, three grants that look at it; p50 {mine['p50_us']:.0f} us, p99 {mine['p99_us']:.0f} us")
