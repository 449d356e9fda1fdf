"""What the shop is made of: pinned packages, known holes, and no secret in the repository."""

import subprocess
from collections import Counter
from pathlib import Path

import pytest
from detect_secrets import SecretsCollection
from detect_secrets.settings import default_settings

from deploy import packages
from deploy.local.layout import PROJECT

KEYWORD = "Secret Keyword"
# Passwords of the tour's guest and of the demo's users, and a name of a secret, not its content.
KNOWN = Counter(
    {
        ("README.md", KEYWORD): 1,
        ("deploy/cassandra/buyers.py", KEYWORD): 2,
        ("deploy/kubernetes/example/ingress.yaml", KEYWORD): 1,
        ("tests/contract/test_addresses.py", "Hex High Entropy String"): 1,
        ("tests/store/test_logs.py", "Basic Auth Credentials"): 1,
        ("tests/store/test_tracing.py", "Hex High Entropy String"): 2,
    }
)


def pinned() -> dict[str, str]:
    lines = packages.LOCK.read_text().splitlines()
    pins = [line.split(" ")[0].split("==") for line in lines if "==" in line and line[0] != " "]
    return dict(pins)


def secrets_in(files: list[Path]) -> Counter[tuple[str, str]]:
    """How many of which kind are where; a test may have passwords of its own."""
    found = SecretsCollection()
    with default_settings():
        for file in files:
            found.scan_file(str(file))
    kinds = [
        (str(Path(name).relative_to(PROJECT)) if Path(name).is_relative_to(PROJECT) else name, kind)
        for name, secret in found
        for kind in [secret.type]
    ]
    return Counter(
        (name, kind) for name, kind in kinds if kind != KEYWORD or not name.startswith("tests/")
    )


def test_no_secret_is_in_the_repository() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, check=True)
    names = listed.stdout.decode().rstrip("\0").split("\0")
    files = [PROJECT / name for name in names if (PROJECT / name).is_file()]

    assert len(files) > 100
    assert secrets_in(files) - KNOWN == Counter()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("-----BEGIN " + "RSA PRIVATE KEY-----", "Private Key"),
        ("key = 'AKIA" + "IOSFODNN7EXAMPLQ'", "AWS Access Key"),
        ("token = 'ghp_" + "a1B2" * 9 + "'", "GitHub Token"),
        ("SECRET_KEY = '" + "q8Zr2Lw5" * 5 + "'", KEYWORD),
    ],
)
def test_a_secret_would_be_found(tmp_path: Path, text: str, kind: str) -> None:
    file = tmp_path / "settings.py"
    file.write_text(f"{text}\n")

    assert (str(file), kind) in secrets_in([file])


def test_the_bill_of_materials_is_the_lock_and_always_the_same(tmp_path: Path) -> None:
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    for target in (first, second):
        packages.write_sbom(packages.LOCK, target)

    assert first.read_bytes() == second.read_bytes()
    assert packages.components(first) == pinned()
    assert len(pinned()) > 20


def test_another_lock_is_another_bill(tmp_path: Path) -> None:
    lock, bill = tmp_path / "requirements.lock", tmp_path / "bill.json"
    lock.write_text(packages.LOCK.read_text() + "left-pad==1.0\n")

    packages.write_sbom(lock, bill)

    assert packages.components(bill) == pinned() | {"left-pad": "1.0"}


@pytest.mark.parametrize(
    ("dependencies", "status", "words"),
    [
        ([], 0, "Nothing was audited"),
        ([{"name": "a", "skip_reason": "not found"}], 0, "Nothing was audited"),
        ([{"name": "a", "version": "1", "vulns": []}], 0, "1 of 1 packages were audited, 0 known"),
        (
            [{"name": "a", "version": "1", "vulns": [{"id": "CVE-1", "fix_versions": ["2"]}]}],
            1,
            "a 1: CVE-1, mended in 2",
        ),
    ],
)
def test_an_audit_says_whether_there_was_one(
    dependencies: list[dict[str, object]], status: int, words: str
) -> None:
    found, said = packages.verdict({"dependencies": dependencies})

    assert found == status
    assert said.startswith(words)
