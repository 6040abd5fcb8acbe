"""`docs/roles.md` tells what the policy says, and nothing else."""

from tests.policies.roles_page import PAGE, written


def test_the_page_of_roles_is_made_from_the_policy_as_it_is() -> None:
    page = PAGE.read_text()
    assert page == written(page), "run: python -m tests.policies.roles_page"
