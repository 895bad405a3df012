# SPDX-License-Identifier: Apache-2.0
"""rampart flags: what would change is shown first, and whole sets are exported and imported."""

import json

import pytest

from cli import KEY, CommandLine


@pytest.fixture(params=["server", "data"])
def cli(request, server):
    return CommandLine(server, request.param)


@pytest.fixture
def online(server):
    return CommandLine(server, "server")


def version(cli):
    return cli.json("flags", "get", KEY)["version"]


def test_a_change_is_shown_and_not_made_where_nobody_can_be_asked(cli):
    for arguments, words in (
        (["flags", "set", KEY, "percent=25", "enabled=false"],
         [f"update {KEY}", "rollout.percent  0 -> 25", "enabled          true -> false"]),
        (["flags", "create", "NEW", "--type", "boolean"], ["create NEW"]),
        (["flags", "delete", KEY], [f"delete {KEY}"]),
    ):
        result = cli.run(*arguments)
        assert result.returncode == 2 and "--yes" in result.stderr, result
        assert all(word in result.stdout for word in words), result.stdout
        shown = cli.run(*arguments, "--dry-run", status=0)
        assert shown.stdout == result.stdout
    assert version(cli) == 1
    assert cli.run("flags", "get", "NEW").returncode == 1


def test_a_change_is_made_when_the_answer_is_yes(online):
    assert online.answering("no", "flags", "set", KEY, "percent=25").returncode == 1
    assert version(online) == 1
    result = online.answering("yes", "flags", "set", KEY, "percent=25")
    assert result.returncode == 0 and "set, version 2" in result.stdout
    assert online.answering("y", "flags", "delete", KEY, "--reason", "gone").returncode == 0
    assert online.run("flags", "get", KEY).returncode == 1


def test_what_changes_nothing_is_said_and_not_asked(online):
    result = online.run("flags", "set", KEY, "percent=0", status=0)
    assert result.stdout == "nothing would change\n"


def test_a_dry_run_as_json_is_the_answer_of_the_api(online):
    answer = online.json("flags", "set", KEY, "percent=25", "--dry-run")
    assert answer["dry_run"] is True
    assert answer["changes"][0]["differences"] == [{"path": "rollout.percent", "before": 0, "after": 25}]


def test_an_export_is_imported_elsewhere(cli, tmp_path):
    cli.run("flags", "set", KEY, "percent=33", "--yes", status=0)
    cli.run("flags", "create", "EXTRA", "--type", "boolean", "--environment", "staging", "--yes", status=0)
    exported = cli.run("flags", "export", status=0).stdout
    assert json.loads(exported)["environment"] == "production" and "\n  " in exported
    cli.run("flags", "export", "--output", tmp_path / "flags.json", status=0)
    assert (tmp_path / "flags.json").read_text() == exported
    asked = cli.run("flags", "import", tmp_path / "flags.json", "--environment", "staging")
    assert asked.returncode == 2 and f"create {KEY}" in asked.stdout
    cli.run("flags", "import", tmp_path / "flags.json", "--environment", "staging", "--yes", status=0)
    keys = lambda: [flag["key"] for flag in cli.json("flags", "list", "--environment", "staging")["flags"]]
    assert keys() == [KEY, "EXTRA"]
    assert cli.json("flags", "get", KEY, "--environment", "staging")["rollout"]["percent"] == 33
    replaced = cli.run("flags", "import", "-", "--environment", "staging", "--mode", "replace", "--yes", text=exported, status=0)
    assert "delete EXTRA" in replaced.stdout and "1 changes made" in replaced.stdout
    assert keys() == [KEY]


def test_a_file_that_is_no_set_is_refused(online, tmp_path):
    (tmp_path / "x.json").write_text("{")
    assert online.run("flags", "import", tmp_path / "x.json", "--yes").returncode == 2
    assert online.run("flags", "import", "-", "--yes", text='{"flags":[{"key":"X","type":"colour"}]}').returncode == 2
    assert online.run("flags", "import", "-", "--mode", "mix", "--yes", text="{}").returncode == 2
    assert [flag["key"] for flag in online.json("flags", "list")["flags"]] == [KEY]
