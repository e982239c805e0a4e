"""Marketo's tables, written by hand, through their door."""

import pytest

LEADS = """\
id,created_at,updated_at,email,title,_fivetran_deleted
1,2024-01-01 08:00:00.000,2024-05-01 00:00:00.000,Ann@Example.com,CFO,FALSE
2,2024-01-02 08:00:00.000,2024-05-01 00:00:00.000,,Clerk,FALSE
9,2024-01-03 08:00:00.000,2024-05-01 00:00:00.000,gone@example.com,,TRUE
"""
HEAD = "id,activity_date,lead_id,campaign_id,campaign_run_id,email_template_id"
MAIL = "primary_attribute_value"
AT = "2024-03-01 10:00:00.000"


def mail(*more, header=""):
    """Return a table with one activity of lead 1."""
    return f"{HEAD},{MAIL}{header}\n7,{AT},1,11,22,33,Spring mail{''.join(more)}\n"


@pytest.fixture
def through(read):
    def tables(files, **export):
        files = {f"mk/marketo_{name}_data.csv": text for name, text in files.items()}
        files = {"mk/lead.csv": LEADS, **files}
        return read(files, leads=[], exports=[{"system": "marketo", "folder": "mk", **export}])

    return tables


def test_leads_are_those_who_were_not_deleted_with_the_columns_that_were_chosen(through):
    done = through({}, attributes=["title", "no such"])
    leads = [(r["lead_id"], r["created_at"].isoformat(), r["title"]) for r in done.rows("leads")]
    assert leads == [
        ("1", "2024-01-01T08:00:00+00:00", "CFO"),
        ("2", "2024-01-02T08:00:00+00:00", "Clerk"),
    ]
    assert done.count("leads") == (3, 2, 0, 0, 1)


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("activity_send_email", "email_sent"),
        ("activity_email_delivered", "email_delivered"),
        ("activity_open_email", "email_opened"),
        ("activity_click_email", "email_clicked"),
        ("activity_email_bounced", "email_bounced"),
        ("activity_email_bounced_soft", "email_bounced"),
        ("activity_unsubscribe_email", "email_unsubscribed"),
    ],
)
def test_each_table_of_mail_is_a_type_of_event(through, file, kind):
    (row,) = through({file: mail()}).rows("events")
    assert (row["event_id"], row["lead_id"], row["type"]) == ("marketo:7", "1", kind)
    assert row["occurred_at"].isoformat() == "2024-03-01T10:00:00+00:00"
    assert (row["source"], row["channel"], row["campaign"]) == ("marketo", "email", "11")
    assert (row["asset"], row["message_id"], row["template"]) == ("Spring mail", "33-22", "33")


def test_a_click_keeps_its_link_and_its_browser(through):
    click = mail(",https://x.io/demo?a=1,Mozilla/5.0,iPhone", header=",link,user_agent,device")
    (row,) = through({"activity_click_email": click}).rows("events")
    assert (row["url"], row["page"]) == ("https://x.io/demo?a=1", "https://x.io/demo")
    assert (row["user_agent"], row["device"]) == ("Mozilla/5.0", "iPhone")


def test_a_wish_to_hear_no_more_keeps_the_address_it_came_from(through):
    wish = mail(",1.2.3.4", header=",client_ip_address")
    assert through({"activity_unsubscribe_email": wish}).column("events", "ip") == ["1.2.3.4"]


@pytest.mark.parametrize(
    ("result", "kind"),
    [
        ("succeeded", "email_sent"),
        ("", "email_sent"),
        ("skipped", "email_dropped"),
        ("Failed", "email_dropped"),
    ],
)
def test_what_was_skipped_was_not_sent(through, result, kind):
    sent = mail(f",{result}", header=",action_result")
    assert through({"activity_send_email": sent}).column("events", "type") == [kind]


def test_pages_and_forms_are_events_of_the_web(through):
    head = f"id,activity_date,lead_id,{MAIL},webpage_url,referrer_url,client_ip_address,user_agent"
    visit = f"{head}\n1,{AT},1,x.io/pricing,/pricing?a=1,https://g.io/,1.2.3.4,Mozilla\n"
    form = f"{head}\n2,{AT},1,Demo form,,https://x.io/demo?a=1,1.2.3.4,Mozilla\n"
    done = through({"activity_visit_webpage": visit, "activity_fill_out_form": form})
    told = {r["type"]: (r["page"], r["asset"], r["channel"], r["ip"]) for r in done.rows("events")}
    assert told == {
        "page_view": ("/pricing", None, "web", "1.2.3.4"),
        "form_submit": ("https://x.io/demo", "Demo form", "web", "1.2.3.4"),
    }


CHANGES = f"""\
id,activity_date,lead_id,{MAIL},old_value,new_value
1,2024-02-01 00:00:00,1,Job Title,CFO,CEO
2,2024-02-02 00:00:00,1,Industry,,Toys
3,2024-02-03 00:00:00,1,Industry,Toys,
4,2024-02-04 00:00:00,1,Phone Number,,12345
5,2024-02-05 00:00:00,1,My Own,,x
6,2024-02-06 00:00:00,1,Email Address,ann@example.com,Ann@New.io
"""


def test_changes_of_values_are_attributes_from_the_day_they_changed(through):
    done = through({"activity_change_data_value": CHANGES}, attributes=["My Own"])
    changes = [
        (row["name"], row["value"], row["known_at"].isoformat()[:10])
        for row in done.rows("attributes")
    ]
    assert changes == [
        ("Job Title", "CEO", "2024-02-01"),
        ("Industry", "Toys", "2024-02-02"),
        ("Industry", None, "2024-02-03"),
        ("My Own", "x", "2024-02-05"),
    ]
    assert done.count("attributes") == (6, 4, 0, 0, 2)


def test_an_address_is_a_leads_from_the_day_it_was_changed(through):
    done = through({"activity_change_data_value": CHANGES})
    links = {
        row["alias"]: (row["lead_id"], row["known_at"].isoformat())
        for row in done.rows("aliases")
        if not row["lead_id"].startswith("email:")
    }
    assert links["email:ann@new.io"] == ("1", "2024-02-06T00:00:00+00:00")
    assert links["email:ann@example.com"] == ("1", "2024-01-01T08:00:00+00:00")
    assert links["marketo:2"] == ("2", "2024-01-02T08:00:00+00:00")


def test_a_deleted_lead_is_disqualified_from_that_day(through):
    gone = f"id,activity_date,lead_id\n1,{AT},2\n"
    (row,) = through({"activity_delete_lead": gone}).rows("stages")
    assert (row["lead_id"], row["stage"]) == ("2", "disqualified")
    assert row["entered_at"].isoformat() == "2024-03-01T10:00:00+00:00"


MERGES = f'id,activity_date,lead_id,merge_ids\n1,{AT},1,"[5, 6]"\n2,{AT},2,[]\n3,{AT},2,[7]\n'


def test_leads_that_were_merged_are_names_of_the_one_that_stayed(through):
    done = through({"activity_merge_leads": MERGES})
    links = sorted(
        (r["alias"], r["lead_id"])
        for r in done.rows("aliases")
        if r["known_at"].isoformat() == "2024-03-01T10:00:00+00:00"
    )
    # Where Marketo's ids are the leads', its activities of old call them by the bare number.
    assert links == [
        *(("5", "1"), ("6", "1"), ("7", "2")),
        *(("marketo:5", "1"), ("marketo:6", "1"), ("marketo:7", "2")),
    ]
    assert set(done.reasons) == {"merge without the leads that were merged"}


def test_where_leads_are_another_systems_marketos_numbers_say_so(read):
    files = {"mk/lead.csv": LEADS, "mk/activity_merge_leads.csv": MERGES}
    files |= {"mk/activity_open_email.csv": mail()}
    files |= {"mk/activity_change_data_value.csv": CHANGES}
    done = read(files, exports=[{"system": "marketo", "folder": "mk", "master": False}])
    assert done.column("events", "lead_id") == ["marketo:1"]
    assert sorted(done.column("leads", "lead_id")) == ["a", "b"]
    links = sorted((row["alias"], row["lead_id"]) for row in done.rows("aliases"))
    assert links == [
        # The address, which other systems know too, says whose it is.
        ("marketo:1", "email:ann@example.com"),
        ("marketo:5", "marketo:1"),
        ("marketo:6", "marketo:1"),
        ("marketo:7", "marketo:2"),
    ]


def test_what_another_system_sent_to_a_leads_address_is_his_event(read):
    body = '[{"event": "open", "email": "ANN@example.com", "timestamp": 1709287200}]\n'
    files = {"mk/lead.csv": LEADS, "sg/day.json": body, "mk/activity_open_email.csv": mail()}
    done = read(
        files,
        leads=[],
        exports=[
            {"system": "marketo", "folder": "mk"},
            {"system": "sendgrid", "folder": "sg", "master": False},
        ],
    )
    assert sorted(
        (row["source"], row["lead_id"], row["occurred_at"].isoformat())
        for row in done.rows("events")
    ) == [
        ("marketo", "1", "2024-03-01T10:00:00+00:00"),
        ("sendgrid", "1", "2024-03-01T10:00:00+00:00"),
    ]
