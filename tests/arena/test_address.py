"""Whose address a request has: nobody chooses it for themselves."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.address import PRIVATE_NETWORKS, client_of, is_trusted

PROXIES = (ip_network("10.0.0.0/8"), ip_network("2001:db8:1::/48"))
PROXY, CLIENT = "10.0.0.7", "203.0.113.9"
JUNK = st.lists(st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=40), max_size=4)


@given(JUNK)
def test_whatever_a_header_says_of_an_untrusted_peer_it_is_the_peer(headers: list[str]):
    assert client_of(CLIENT, headers, PROXIES) == CLIENT
    assert client_of(CLIENT, [*headers, "198.51.100.1"], PROXIES) == CLIENT


@given(JUNK)
def test_whatever_a_client_writes_before_a_proxy_adds_to_it_it_is_the_client(headers: list[str]):
    joined = ", ".join([*headers, CLIENT])
    assert client_of(PROXY, [joined], PROXIES) == CLIENT
    assert client_of(PROXY, [*headers, CLIENT], PROXIES) == CLIENT


def test_two_people_behind_one_proxy_are_two():
    assert client_of(PROXY, ["203.0.113.9"], PROXIES) != client_of(PROXY, ["203.0.113.10"], PROXIES)


def test_a_chain_of_trusted_proxies_is_followed_to_the_first_that_is_not():
    assert client_of(PROXY, ["198.51.100.1, 203.0.113.9, 10.1.1.1, 10.2.2.2"], PROXIES) == CLIENT


@pytest.mark.parametrize(
    "header", ["", "unknown", "203.0.113.9, nonsense", "203.0.113.9, 999.1.1.1", "203.0.113.9,", "10.0.0.1, 10.0.0.2"]
)
def test_a_header_that_cannot_be_read_or_holds_proxies_only_leaves_the_peer(header: str):
    assert client_of(PROXY, [header], PROXIES) == PROXY


def test_a_trusted_peer_without_the_header_is_itself():
    assert client_of(PROXY, [], PROXIES) == PROXY


@pytest.mark.parametrize("written", ["203.0.113.9:4711", "::ffff:203.0.113.9", "[::ffff:203.0.113.9]:4711"])
def test_ports_and_mapped_addresses_are_the_same_client(written: str):
    assert client_of(PROXY, [written], PROXIES) == CLIENT


def test_an_ipv6_household_is_one_and_its_neighbour_another():
    one, same, other = "2001:db8:2:3::1", "2001:db8:2:3:ffff::9", "2001:db8:2:4::1"
    assert client_of(one, [], ()) == client_of(same, [], ()) == "2001:db8:2:3::/64"
    assert client_of(other, [], ()) == "2001:db8:2:4::/64"
    assert client_of("2001:db8:1::5", [f"[{one}]:443"], PROXIES) == "2001:db8:2:3::/64"


def test_a_connection_without_an_address_has_none():
    assert client_of(None, [CLIENT], PROXIES) is None
    assert client_of("testclient", [CLIENT], PROXIES) is None


def test_the_private_networks_are_networks_and_hold_no_public_address():
    networks = [ip_network(text) for text in PRIVATE_NETWORKS]
    assert all(not network.is_global for network in networks)


@pytest.mark.parametrize(
    ("peer", "is_one"),
    [(PROXY, True), ("::ffff:10.0.0.7", True), ("2001:db8:1::5", True), (CLIENT, False), ("", False), (None, False)],
)
def test_a_peer_is_trusted_by_its_address_alone(peer: str | None, is_one: bool):
    assert is_trusted(peer, PROXIES) is is_one
    assert not is_trusted(peer, ())
