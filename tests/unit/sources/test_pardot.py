"""Pardot's tables, written by hand, through their door."""

import pytest

PROSPECTS = """\
id,created_at,email,prospect_account_id,job_title,_fivetran_deleted
1,2024-01-01 08:00:00 UTC,Ann@Example.com,70,CFO,false
2,2024-01-02 08:00:00 UTC,bob@example.com,,Clerk,false
9,2024-01-03 08:00:00 UTC,gone@example.com,,,true
"""
VISITORS = """\
id,created_at,updated_at,prospect_id,ip_address
501,2024-02-01 00:00:00 UTC,2024-03-10 00:00:00 UTC,1,1.2.3.4
502,2024-02-01 00:00:00 UTC,2024-02-01 00:00:00 UTC,,5.6.7.8
"""
HEAD = "id,created_at,type,type_name,prospect_id,visitor_id,campaign_id,details,list_email_id"
AT = "2024-03-01 10:00:00 UTC"


def activities(*rows):
    """Return the table of activities, one for each `(type, type_name, more…)`."""
    lines = [
        ",".join([str(n), AT, *row, *[""] * (7 - len(row))]) for n, row in enumerate(rows, start=1)
    ]
    return "\n".join([HEAD, *lines]) + "\n"


@pytest.fixture
def through(read):
    def tables(files, **export):
        files = {f"pd/pardot_{name}_data.csv": text for name, text in files.items()}
        files = {"pd/prospect.csv": PROSPECTS, **files}
        return read(files, leads=[], exports=[{"system": "pardot", "folder": "pd", **export}])

    return tables


def test_prospects_that_were_not_deleted_are_leads_with_their_account(through):
    done = through({}, attributes=["job_title"])
    leads = [
        (r["lead_id"], r["created_at"].isoformat(), r["account_id"], r["job_title"])
        for r in done.rows("leads")
    ]
    assert leads == [
        ("1", "2024-01-01T08:00:00+00:00", "70", "CFO"),
        ("2", "2024-01-02T08:00:00+00:00", None, "Clerk"),
    ]
    assert done.count("leads") == (3, 2, 0, 0, 1)


def test_numbers_of_types_are_events_by_what_was_done_with_what(through):
    told = {
        ("1", "Email"): "email_clicked",
        ("1", "File"): "content_download",
        ("1", "Custom Redirect"): "click",
        ("2", "Form"): "form_view",
        ("2", "Landing Page"): "page_view",
        ("4", "Form"): "form_submit",
        ("4", "Form Handler"): "form_submit",
        ("6", "Email"): "email_sent",
        ("11", "Email"): "email_opened",
        ("12", "Email"): "email_unsubscribed",
        ("13", "Email"): "email_bounced",
        ("14", "Email"): "email_complained",
        ("16", "Email"): "email_resubscribed",
        ("24", "Webinar"): "webinar_attended",
        ("25", "Webinar"): "webinar_registered",
        ("35", "Email"): "email_unsubscribed",
        ("36", "Email"): "email_bounced",
        ("99", "New"): "99",
    }
    done = through({"visitor_activity": activities(*((*one, "1") for one in told))})
    assert done.column("events", "type") == list(told.values())
    assert done.column("events", "channel").count("email") == 9


def test_an_email_click_keeps_its_link_its_message_and_the_visitors_address(through):
    click = activities(("1", "Email", "1", "501", "c1", "https://x.io/demo?a=1", "m1"))
    files = {"visitor_activity": click, "visitor": VISITORS, "campaign": "id,name\nc1,Spring\n"}
    (row,) = through(files).rows("events")
    assert (row["event_id"], row["lead_id"], row["source"]) == ("pardot:1", "1", "pardot")
    assert (row["url"], row["page"]) == ("https://x.io/demo?a=1", "https://x.io/demo")
    assert (row["message_id"], row["ip"], row["campaign"]) == ("m1", "1.2.3.4", "Spring")


def test_what_was_searched_for_is_nobodys_business(through):
    rows = activities(("7", "Site Search", "1", "", "", "divorce"), ("4", "Form", "1", "", "", "F"))
    assert through({"visitor_activity": rows}).column("events", "asset") == [None, "F"]


def test_what_a_visitor_did_counts_for_the_prospect_from_when_the_link_was_known(through):
    rows = activities(
        ("2", "Landing Page", "1", "501"),  # Pardot wrote the prospect in afterwards
        ("4", "Form", "1", "501"),
        ("2", "Landing Page", "1", ""),
        ("2", "Landing Page", "", "502"),
    ).replace(AT, "2024-02-01 09:00:00 UTC", 1)
    done = through({"visitor_activity": rows, "visitor": VISITORS})
    known = [
        (row["lead_id"], row["occurred_at"].isoformat()[:13], row["arrived_at"].isoformat()[:13])
        for row in done.rows("events")
    ]
    # The link became known by the form.
    assert known == [
        ("1", "2024-02-01T09", "2024-03-01T10"),
        ("1", "2024-03-01T10", "2024-03-01T10"),
        ("1", "2024-03-01T10", "2024-03-01T10"),
        ("pardot_visitor:502", "2024-03-01T10", "2024-03-01T10"),
    ]
    links = [
        (row["alias"], row["lead_id"], row["known_at"].isoformat()[:10])
        for row in done.rows("aliases")
        if row["alias"].startswith("pardot_visitor")
    ]
    # By the form he sent in, and by the record of the visitor.
    assert sorted(links) == [
        ("pardot_visitor:501", "1", "2024-03-01"),
        ("pardot_visitor:501", "1", "2024-03-10"),
    ]


def test_prospects_are_known_by_address_and_number_from_their_first_day(through):
    links = [
        (row["alias"], row["lead_id"], row["known_at"].isoformat()[:10])
        for row in through({}).rows("aliases")
    ]
    assert sorted(links) == [
        ("email:ann@example.com", "1", "2024-01-01"),
        ("email:bob@example.com", "2", "2024-01-02"),
        ("pardot:1", "1", "2024-01-01"),
        ("pardot:1", "email:ann@example.com", "2024-01-01"),
        ("pardot:2", "2", "2024-01-02"),
        ("pardot:2", "email:bob@example.com", "2024-01-02"),
    ]


def test_where_leads_are_another_systems_a_visitor_leads_to_a_prospect_and_he_to_his_address(read):
    files = {"pd/prospect.csv": PROSPECTS, "pd/visitor.csv": VISITORS}
    files |= {"pd/list_membership.csv": f"id,list_id,prospect_id,created_at\n1,7,1,{AT}\n"}
    done = read(files, exports=[{"system": "pardot", "folder": "pd", "master": False}])
    assert done.column("events", "lead_id") == ["pardot:1"]
    assert sorted((row["alias"], row["lead_id"]) for row in done.rows("aliases")) == [
        ("pardot:1", "email:ann@example.com"),
        ("pardot:2", "email:bob@example.com"),
        ("pardot_visitor:501", "pardot:1"),
    ]


def test_activities_of_sales_are_stages_and_no_events(through):
    rows = activities(
        *((kind, "Opportunity", "1") for kind in ("8", "9", "10", "18", "19", "38")),
        ("2", "Form", "1"),
    )
    done = through({"visitor_activity": rows})
    # Reopened in the second it was made: the same stage at the same time.
    assert done.column("stages", "stage") == ["opportunity", "customer", "disqualified"]
    assert done.column("events", "type") == ["form_view"]
    assert done.count("stages") == (7, 3, 1, 0, 3)


OPPORTUNITIES = """\
id,created_at,closed_at,status,stage
10,2024-02-01 00:00:00 UTC,2024-03-01 00:00:00 UTC,Won,6 - Won
11,2024-02-02 00:00:00 UTC,2024-09-01 00:00:00 UTC,Open,Offer
12,2024-02-03 00:00:00 UTC,2024-03-03 00:00:00 UTC,Lost,Lost
13,2024-02-04 00:00:00 UTC,2024-03-04 00:00:00 UTC,Won,Won
"""
WHOSE = "opportunity_id,prospect_id\n10,1\n10,2\n11,1\n12,2\n"


def test_an_opportunity_is_a_stage_of_all_its_prospects(through):
    done = through({"opportunity": OPPORTUNITIES, "opportunity_prospect": WHOSE})
    stages = [
        (r["lead_id"], r["stage"], r["entered_at"].isoformat()[:10]) for r in done.rows("stages")
    ]
    assert sorted(stages) == [
        ("1", "customer", "2024-03-01"),
        ("1", "opportunity", "2024-02-01"),
        ("1", "opportunity", "2024-02-02"),
        ("2", "customer", "2024-03-01"),
        ("2", "disqualified", "2024-03-03"),
        ("2", "opportunity", "2024-02-01"),
        ("2", "opportunity", "2024-02-03"),
    ]
    assert done.reasons == ["opportunity_prospect has no row for it"] * 2


def test_own_names_of_stages_may_be_given_ours(through):
    done = through(
        {
            "opportunity": OPPORTUNITIES,
            "opportunity_prospect": "opportunity_id,prospect_id\n10,1\n",
        },
        stages={"6 - Won": "sql"},
    )
    assert sorted(done.column("stages", "stage")) == ["opportunity", "sql"]


def test_who_comes_on_a_list_and_who_wants_no_more_of_it_are_events(through):
    lists = """\
id,list_id,prospect_id,created_at,updated_at,opted_out
1,77,1,2024-02-01 00:00:00 UTC,2024-02-05 00:00:00 UTC,false
2,77,2,2024-02-01 00:00:00 UTC,2024-02-05 00:00:00 UTC,true
"""
    done = through({"list_membership": lists, "list": "id,name\n77,News\n"})
    told = [(r["lead_id"], r["type"], r["list"], r["occurred_at"].day) for r in done.rows("events")]
    assert sorted(told) == [
        ("1", "list_joined", "News", 1),
        ("2", "email_unsubscribed", "News", 5),
        ("2", "list_joined", "News", 1),
    ]
    assert done.count("events") == (2, 3, 0, 0, 1)
