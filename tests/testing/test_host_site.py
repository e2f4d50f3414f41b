"""The tests that docs/testing.md shows are run, on a site that has nothing but the app."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.testing.hosting import Site

PAGE = Path(__file__).resolve().parents[2] / "docs" / "testing.md"
FILES = dict(re.findall(r"```python\n# (\S+\.py)\n(.*?)```", PAGE.read_text(), re.DOTALL))
PYTEST = ("-m", "pytest", "-p", "no:cacheprovider", "-q")


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


def test_the_documented_pytest_test_passes(site):
    site.write("conftest.py", FILES["conftest.py"])
    site.write("test_coaching.py", FILES["test_coaching.py"])
    assert "1 passed" in site.python(*PYTEST)


def test_the_documented_django_test_passes_without_pytest(site):
    site.write("tests.py", FILES["tests.py"])
    # None in sys.modules: whoever imports pytest gets an ImportError.
    run = "import sys; sys.modules['pytest'] = None; from django.core import management as m; "
    printed = site.python("-c", run + "m.execute_from_command_line(['django', 'test'])")
    assert "Ran 2 tests" in printed


def test_the_fixture_works_with_real_commits_and_in_any_order(site):
    site.write("conftest.py", FILES["conftest.py"])
    body = FILES["test_coaching.py"].replace("django_db\n", "django_db(transaction=True)\n")
    site.write("test_coaching.py", body)
    asked = FILES["test_coaching.py"].replace("@pytest.mark.django_db\n", "")
    asked = asked.replace(
        "(tavus_sandbox, django_user_model)", "(tavus_sandbox, django_user_model, db)"
    )
    site.write("test_asked.py", asked)
    assert "2 passed" in site.python(*PYTEST)
