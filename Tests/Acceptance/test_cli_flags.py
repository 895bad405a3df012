# SPDX-License-Identifier: Apache-2.0
"""rampart flags, rollout and audit: the same over HTTP and on the store of a server that was stopped."""

import json
import subprocess
import threading

import pytest

from cli import KEY, CommandLine
from rampart import BINARY, Rampart

PLAN = {"steps": [{"percent": 10, "bake": "1h"}, {"percent": 50, "bake": "1h"}, {"percent": 100}], "guard": {"checks": []}}


@pytest.fixture(params=["server", "data"])
def cli(request, server):
    return CommandLine(server, request.param)


@pytest.fixture
def online(server):
    return CommandLine(server, "server")


def test_flags_are_created_changed_shown_and_deleted(cli):
    created = cli.run("flags", "create", "NEW", "--type", "boolean", "--caches", "session, user", "--yes", "--reason", "für", status=0)
    assert created.stdout == "NEW in production: created, version 1\n"
    cli.run("flags", "set", "NEW", "percent=12.5", "description=5", "enabled=false", "variants.on=true", "--yes", status=0)
    flag = cli.json("flags", "get", "NEW")
    assert flag["rollout"] == {"variant": "on", "percent": 12.5}
    assert (flag["description"], flag["enabled"], flag["caches"], flag["version"]) == ("5", False, ["session", "user"], 2)
    lines = cli.run("flags", "list", status=0).stdout.splitlines()
    assert lines[0].split() == ["key", "type", "enabled", "percent", "default", "rules", "caches", "version"]
    assert [line.split()[0] for line in lines[1:]] == [KEY, "NEW"]
    assert lines[2].split() == ["NEW", "boolean", "no", "12.5", "%", "off", "0", "session,user", "2"]
    assert [flag["key"] for flag in cli.json("flags", "list")["flags"]] == [KEY, "NEW"]
    assert "description     5\n" in cli.run("flags", "get", "NEW", status=0).stdout
    cli.run("flags", "set", "NEW", "rollout=null", "--yes", status=0)
    assert cli.json("flags", "get", "NEW").get("rollout") is None
    assert cli.json("flags", "delete", "NEW", "--yes") == {"key": "NEW", "deleted": True}
    assert cli.run("flags", "get", "NEW").returncode == 1
    entries = cli.json("audit", "list", "--flag", "NEW")["entries"]
    assert [(e["action"], e["reason"]) for e in entries] == [
        ("flag delete", ""), ("flag update", ""), ("flag update", ""), ("flag create", "für")]


def test_definitions_and_patches_come_from_files(cli, tmp_path):
    (tmp_path / "flag.json").write_text(json.dumps(
        {"type": "string", "variants": {"small": "S", "large": "L"}, "defaultVariant": "small"}))
    cli.run("flags", "create", "SIZE", "--file", tmp_path / "flag.json", "--yes", "--environment", "staging", status=0)
    assert cli.run("flags", "get", "SIZE").returncode == 1
    cli.run("flags", "set", "SIZE", "--file", "-", "--yes", "--environment", "staging", text='{"variants":{"huge":"XL"}}', status=0)
    assert cli.json("flags", "get", "SIZE", "--environment", "staging")["variants"] == {"small": "S", "large": "L", "huge": "XL"}
    missing = cli.run("flags", "create", "OTHER", "--file", tmp_path / "none.json", "--yes")
    assert missing.returncode == 2 and "none.json" in missing.stderr
    broken = cli.run("flags", "set", "SIZE", "--file", "-", "--yes", text="[1]")
    assert broken.returncode == 2 and "JSON object" in broken.stderr


def test_a_flag_that_exists_is_not_created(cli):
    result = cli.run("flags", "create", KEY, "--type", "string", "--yes")
    assert result.returncode == 1 and "flags set" in result.stderr
    assert cli.json("flags", "get", KEY)["version"] == 1


@pytest.mark.parametrize("arguments, word", [
    (["flags", "set", KEY, "percent", "--yes"], "path=value"),
    (["flags", "set", KEY, "--yes"], "path=value"),
    (["flags", "set", KEY, "percent=140", "--yes"], "rollout.percent"),
    (["flags", "set", KEY, "colour=red", "--yes"], "colour"),
    (["flags", "set", KEY, "enabled=false", "--yes", "--dry-run"], "--dry-run"),
    (["flags", "set", KEY, "enabled=false", "--yes", "--reason", "a\nb"], "one line"),
    (["flags", "create", "X", "--yes"], "--type"),
    (["flags", "list", "--environment", "No Such"], "environment"),
    (["rollout", "start", KEY, "--plan", "/dev/null"], "/dev/null"),
    (["audit", "verify", "--head", "xyz"], "head"),
    (["audit", "list", "--from", "yesterday"], "from"),
])
def test_wrong_usage_says_what_is_wrong(online, arguments, word):
    result = online.run(*arguments)
    assert result.returncode == 2 and word in result.stderr, result
    assert online.json("flags", "get", KEY)["version"] == 1


def test_nobody_to_ask_changes_nothing(online):
    for arguments in (["rollout", "kill", KEY], ["rollout", "rollback", KEY]):
        result = online.run(*arguments)
        assert result.returncode == 2 and "--yes" in result.stderr
    assert online.json("rollout", "status", KEY)["state"] == "draft"


def test_a_ramp_from_start_to_end(cli):
    assert "draft at 0 %" in cli.run("rollout", "status", KEY, status=0).stdout
    result = cli.run("rollout", "start", KEY, "--plan", "-", "--reason", "first try", text=json.dumps(PLAN), status=0)
    assert "propagating at 10 %, step 1 of 3" in result.stdout and "first try" in result.stdout
    assert cli.json("rollout", "pause", KEY, "--reason", "lunch")["state"] == "paused"
    assert cli.json("rollout", "resume", KEY)["state"] in ("propagating", "warming", "soaking")
    assert cli.json("rollout", "advance", KEY)["percent"] == 50
    text = cli.run("rollout", "status", KEY, status=0).stdout
    assert "> step 2" in text and "0s of 1h" in text and "soak clock" in text and "lunch" in text
    refused = cli.run("rollout", "approve", KEY)
    assert refused.returncode == 1 and "rollout approve: " in refused.stderr
    assert cli.json("rollout", "rollback", KEY, "--reason", "enough")["state"] == "rolled_back"
    killed = cli.json("rollout", "kill", KEY, "--yes")
    assert (killed["state"], killed["percent"]) == ("killed", 0)
    entries = cli.json("audit", "list", "--action", "rollout", "--actor", "local user")["entries"]
    actions = [entry["action"] for entry in entries]
    assert actions == [f"rollout {word}" for word in ("kill", "rollback", "advance", "resume", "pause", "start")]
    assert cli.run("rollout", "kill", "NOPE", "--yes").returncode == 1


def test_a_kill_without_a_reason_is_asked_about(online):
    assert online.answering("n", "rollout", "kill", KEY).returncode == 1
    assert online.json("rollout", "status", KEY)["state"] == "draft"
    assert online.answering("y", "rollout", "kill", KEY).returncode == 0
    assert online.json("rollout", "status", KEY)["state"] == "killed"


def test_what_was_done_without_a_server_is_there_with_one(server):
    offline = CommandLine(server, "data")
    offline.run("flags", "set", KEY, "percent=30", "--yes", "--reason", "at night", status=0)
    head = offline.json("audit", "verify")["head"]
    server.start()
    assert server.get(f"/api/v1/flags/{KEY}").json()["rollout"]["percent"] == 30
    assert server.get(f"/api/v1/audit/verify?head={head}").json()["verified"] is True


def test_a_store_in_use_and_none_at_all_are_refused(server, tmp_path):
    run = lambda *arguments: subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True, cwd=tmp_path)
    for command in (["flags", "list"], ["rollout", "kill", KEY, "--yes"], ["audit", "verify"], ["verify", KEY]):
        result = run(*command, "--data", server.data)
        assert result.returncode == 1 and "in use by a running server" in result.stderr and "--server" in result.stderr, result
    nothing = run("flags", "list", "--data", tmp_path / "nothing")
    assert nothing.returncode == 2 and "holds no store" in nothing.stderr
    nobody = run("flags", "list", "--server", "http://127.0.0.1:9")
    assert nobody.returncode == 1 and "is the server running?" in nobody.stderr
    both = run("flags", "list", "--server", "http://127.0.0.1:9", "--data", server.data)
    assert both.returncode == 2


def test_watching_ends_with_the_ramp(online):
    online.run("rollout", "start", KEY, "--plan", "-", text=json.dumps(PLAN), status=0)
    watching = subprocess.Popen(
        [BINARY, "rollout", "status", KEY, "--watch", "--json", *online.place], stdout=subprocess.PIPE, text=True)
    try:
        assert json.loads(watching.stdout.readline())["percent"] == 10
        online.run("rollout", "advance", KEY, status=0)
        seen = []
        reader = threading.Thread(target=lambda: seen.extend(json.loads(line) for line in watching.stdout))
        reader.start()
        Rampart.wait_for(lambda: [ramp for ramp in seen if ramp["percent"] == 50], what="the second step")
        online.run("rollout", "kill", KEY, "--reason", "done", status=0)
        assert watching.wait(timeout=20) == 1
        reader.join()
        assert seen[-1]["state"] == "killed"
        assert len({json.dumps([ramp["state"], ramp["step"], ramp["reason"]]) for ramp in seen}) == len(seen), "each change once"
    finally:
        watching.kill()
    online.run("rollout", "start", KEY, "--plan", "-", text='{"steps":[{"percent":100}]}', status=0)
    assert online.run("rollout", "status", KEY, "--watch").returncode == 0
    assert online.run("rollout", "status", KEY, "--watch", "--data", "x").returncode == 2


def test_the_audit_is_listed_and_verified(cli):
    for number in range(3):
        cli.run("flags", "set", KEY, f"description={number}", "--yes", "--reason", f"r{number}", status=0)
    text = cli.run("audit", "list", "--limit", 2, status=0).stdout.splitlines()
    assert [line.split()[0] for line in text] == ["id", "4", "3", "more"] and text[-1] == "more with --before-id 3"
    assert [e["id"] for e in cli.json("audit", "list", "--limit", 2, "--before-id", 3)["entries"]] == [2, 1]
    answer = cli.json("audit", "verify")
    assert (answer["verified"], answer["entries"]) == (True, 4)
    assert cli.run("audit", "verify", "--head", answer["head"], status=0).stdout == f"verified: 4 entries, head {answer['head']}\n"
    unknown = cli.run("audit", "verify", "--head", "0f" * 32)
    assert unknown.returncode == 1 and "noted" in unknown.stderr


def test_a_forged_audit_fails_the_command(server):
    offline = CommandLine(server, "data")
    offline.run("flags", "set", KEY, "description=x", "--yes", status=0)
    subprocess.run(
        ["sqlite3", server.data / "rampart.sqlite", "DROP TRIGGER audit_keeps_content; UPDATE audit SET actor='nobody' WHERE id=1"],
        check=True)
    result = offline.run("audit", "verify")
    assert result.returncode == 1 and "entry 1: " in result.stderr
    assert offline.json("audit", "verify", status=1)["verified"] is False


def test_texts_from_elsewhere_move_no_terminal(online):
    definition = json.dumps({"type": "boolean", "description": "\x1b[2J\x07hi"})
    online.run("flags", "create", "X", "--file", "-", "--yes", text=definition, status=0)
    assert "\x1b" not in online.run("flags", "get", "X", status=0).stdout
    online.server.post(f"/api/v1/flags/{KEY}/rollout/kill", {"reason": "\x1b]0;owned\x07"})
    for command in (["rollout", "status", KEY], ["audit", "list"]):
        text = online.run(*command, status=0).stdout
        assert "owned" in text and "\x1b" not in text


@pytest.mark.parametrize("command", [
    ["flags"], ["rollout"], ["audit"], ["verify"], *(["flags", c] for c in ("list", "get", "create", "set", "delete", "import", "export")),
    *(["rollout", c] for c in ("start", "status", "pause", "resume", "approve", "advance", "rollback", "kill")),
    ["audit", "list"], ["audit", "verify"],
])
def test_help_fits_a_screen_and_has_examples(command):
    result = subprocess.run([BINARY, *command, "--help"], capture_output=True, text=True)
    assert result.returncode == 0 and "EXAMPLES:" in result.stdout
    assert len(result.stdout.splitlines()) <= 50
    name = " ".join(["rampart", *command])
    assert result.stdout.split("EXAMPLES:")[1].split("USAGE:")[0].count(name) >= 2, result.stdout
