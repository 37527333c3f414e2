"""The panel's pages of reports, and the parts of the summary that are loaded in their place."""

REPORTS = "/panel/reports"
PAGES = {
    "summary": "",
    "value": "/value",
    "outlook": "/outlook",
    "accounts": "/accounts",
    "owners": "/owners",
    "teams": "/owners?by=team",
    "causes": "/causes",
    "warnings": "/warnings",
}


def paths(account: str) -> dict[str, str]:
    """Each page by its name, and that of the account whose report the API has at this address."""
    one = f"/accounts/{account.rpartition('/')[2]}"
    return {name: f"{REPORTS}{path}" for name, path in {**PAGES, "account": one}.items()}
