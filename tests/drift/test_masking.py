"""What differs from answer to answer has a mark; what is a fact stays."""

from __future__ import annotations

import pytest

from buttress.drift.masking import masked, masked_name, masked_path, masked_url

BASE = "https://shop.example/chat"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("/static/app.3f2a9c1b.js", "/static/app.90bb77aa12.js"),
        ("/assets/index-BwZ0kXlQ.js", "/assets/index-D4eRt_9z.js"),
        ("/_next/static/8aY7sd6f8asQ2/main.js", "/_next/static/Zp0qk2mWx91Lu/main.js"),
        ("/build/20260101/app.js", "/build/20261129/app.js"),
        ("/x?v=1&lang=en", "/x?lang=de&v=2"),
        ("/x?1764394211", "/x?1764394999"),
        ("/s/f47ac10b-58cc-4372-a567-0e02b2c3d479", "/s/a47ac10b-58cc-4372-a567-0e02b2c3d470"),
    ],
)
def test_builds_and_moments_are_no_part_of_an_address(first: str, second: str) -> None:
    assert masked_url(first, BASE) == masked_url(second, BASE)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("https://cdn.example/jquery@3.6.0/jquery.min.js", "https://cdn.example/jquery@3.7.1/jquery.min.js"),
        ("/api/v1/chat", "/api/v2/chat"),
        ("/admin", "/login"),
        ("https://a.example/x.js", "https://b.example/x.js"),
        ("/x.js", "https://evil.example/x.js"),
        ("/x?lang=en", "/x?debug=1"),
        ("/settings.js", "/checkout.js"),
        ("http://shop.example/a", "https://shop.example/a"),
    ],
)  # fmt: skip
def test_releases_hosts_and_names_are(first: str, second: str) -> None:
    assert masked_url(first, BASE) != masked_url(second, BASE)


def test_dates_and_numbers_are_no_part_of_a_text() -> None:
    texts = [
        "Open until 29 November 2026, ticket 8812345, build 3f2a9c1",
        "Open until 3 May 2027, ticket 9912345, build 90bb77a",
    ]
    assert masked(texts[0]) == masked(texts[1])
    assert masked("Welcome to the shop") != masked("Welcome to the bank")


def test_random_parts_of_names() -> None:
    assert masked_name("csrf_9f8e7d6c5b") == masked_name("csrf_00aa11bb22")
    assert masked_name("password") == "password"
    assert masked_path("/user/profile") == "/user/profile"
