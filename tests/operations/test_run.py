import socket
from pathlib import Path

import pytest

from app.operations.datadir import hold
from app.operations.errors import PortTaken
from app.operations.run import Address, free_address, run


def test_a_second_run_says_who_holds_the_folder_and_exits_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with hold(tmp_path):
        holder = (tmp_path / "lock").read_text()
        assert run("127.0.0.1", 0, tmp_path, sample=False) == 1
    assert f"held by process {holder}" in capsys.readouterr().err


def test_a_taken_port_ends_the_start_before_any_server_is_started(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert run("127.0.0.1", taken.getsockname()[1], tmp_path, sample=False) == 1
    assert "choose another --port" in capsys.readouterr().err
    assert not (tmp_path / "servers").exists()


def test_port_0_means_any_free_port() -> None:
    assert free_address("127.0.0.1", 0).port > 0


def test_an_unknown_host_cannot_be_listened_on() -> None:
    with pytest.raises(PortTaken):
        free_address("192.0.2.1", 0)  # an address for documentation, never ours (RFC 5737)


@pytest.mark.parametrize(
    ("host", "bind", "url"),
    [
        ("127.0.0.1", "127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("0.0.0.0", "0.0.0.0:8000", "http://127.0.0.1:8000"),
        ("::1", "[::1]:8000", "http://[::1]:8000"),
        ("::", "[::]:8000", "http://[::1]:8000"),
        ("localhost", "localhost:8000", "http://localhost:8000"),
    ],
)
def test_what_is_bound_and_what_is_called(host: str, bind: str, url: str) -> None:
    assert (Address(host, 8000).bind, Address(host, 8000).url) == (bind, url)
