"""What the demo company's world consists of: titles, industries, pages, mails, campaigns.

The firm sells workflow software to operations, IT and finance teams. Names are
invented; weights are how often something occurs.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Title:
    """A job title as people type it, with the truth behind it and how often it occurs."""

    text: str
    seniority: str
    function: str
    weight: float


TITLES = (
    Title("Chief Operating Officer", "c_level", "operations", 2.5),
    Title("COO", "c_level", "operations", 2),
    Title("Chief Information Officer", "c_level", "it", 2),
    Title("CTO", "c_level", "it", 2.5),
    Title("Chief Financial Officer", "c_level", "finance", 2),
    Title("CFO", "c_level", "finance", 1.5),
    Title("Chief Executive Officer", "c_level", "general", 3),
    Title("Founder", "c_level", "general", 4),
    Title("Managing Director", "c_level", "general", 2.5),
    Title("Chief Marketing Officer", "c_level", "marketing", 1.5),
    Title("VP Operations", "vp", "operations", 3),
    Title("VP of Engineering", "vp", "it", 2),
    Title("Vice President Finance", "vp", "finance", 1.5),
    Title("VP Marketing", "vp", "marketing", 1.5),
    Title("VP Sales", "vp", "sales", 1.5),
    Title("Head of Operations", "head", "operations", 4),
    Title("Head of IT", "head", "it", 4),
    Title("Head of Finance", "head", "finance", 2),
    Title("Head of HR", "head", "hr", 1.5),
    Title("Director of Operations", "director", "operations", 4),
    Title("IT Director", "director", "it", 3.5),
    Title("Finance Director", "director", "finance", 2.5),
    Title("Marketing Director", "director", "marketing", 2.5),
    Title("Sales Director", "director", "sales", 2.5),
    Title("Operations Manager", "manager", "operations", 8),
    Title("IT Manager", "manager", "it", 6),
    Title("Finance Manager", "manager", "finance", 4),
    Title("Supply Chain Manager", "manager", "operations", 4),
    Title("Marketing Manager", "manager", "marketing", 7),
    Title("Sales Manager", "manager", "sales", 4),
    Title("HR Manager", "manager", "hr", 3),
    Title("Office Manager", "manager", "operations", 3),
    Title("Software Engineer", "individual", "it", 6),
    Title("Systems Administrator", "individual", "it", 4),
    Title("Business Analyst", "individual", "operations", 5),
    Title("Operations Specialist", "individual", "operations", 4),
    Title("Accountant", "individual", "finance", 4),
    Title("Controller", "individual", "finance", 2),
    Title("Marketing Specialist", "individual", "marketing", 6),
    Title("Content Manager", "manager", "marketing", 3),
    Title("Account Executive", "individual", "sales", 3),
    Title("Consultant", "individual", "general", 5),
    Title("Student", "student", "education", 6),
    Title("PhD Student", "student", "education", 1.5),
    Title("Intern", "student", "general", 2.5),
)

INDUSTRIES = {
    "manufacturing": 16.0,
    "logistics": 11.0,
    "software": 14.0,
    "agency": 14.0,
    "healthcare": 12.0,
    "retail": 10.0,
    "financial services": 8.0,
    "education": 7.0,
    "public sector": 5.0,
    "energy": 3.0,
}
COUNTRIES = {
    "Germany": 26.0,
    "United Kingdom": 18.0,
    "Netherlands": 10.0,
    "Austria": 7.0,
    "Switzerland": 6.0,
    "France": 10.0,
    "Spain": 7.0,
    "United States": 10.0,
    "India": 6.0,
}
SOURCES = {
    "organic": 26.0,
    "paid_search": 20.0,
    "paid_social": 14.0,
    "webinar": 13.0,
    "content": 12.0,
    "referral": 8.0,
    "trade_fair": 7.0,
}
CAMPAIGNS = {
    "organic": ("",),
    "paid_search": ("brand_search", "workflow_search", "competitor_search"),
    "paid_social": ("linkedin_ops", "linkedin_it", "facebook_broad"),
    "webinar": ("webinar_series",),
    "content": ("ops_playbook", "automation_guide"),
    "referral": ("customer_referral",),
    "trade_fair": ("spring_fair", "autumn_fair"),
}
GIVEAWAY = "spring_giveaway"
TOOLS = ("spreadsheets", "legacy suite", "competitor product", "nothing")

PAGES = (
    "/",
    "/product",
    "/pricing",
    "/customers",
    "/integrations",
    "/security",
    "/blog",
    "/docs",
    "/careers",
)
PRICING, CUSTOMERS, CAREERS = PAGES.index("/pricing"), PAGES.index("/customers"), 8
PAGE_WEIGHTS = (18.0, 20.0, 5.0, 7.0, 6.0, 3.0, 28.0, 8.0, 2.5)
PAGE_INTEREST = (0.0, 0.15, 0.55, 0.4, 0.3, 0.35, -0.1, 0.05, -0.2)

ASSETS = ("ops_playbook", "automation_guide", "roi_workbook", "case_study_logistics")
SOCIAL_CHANNELS = ("linkedin", "facebook", "youtube")

OLD_INDUSTRIES = ("manufacturing", "logistics", "software", "agency")
NEW_INDUSTRIES = ("manufacturing", "logistics", "software", "healthcare")
OLD_SIZES = (50, 500)
NEW_SIZES = (500, 5_000)
HOME_COUNTRIES = ("Germany", "Austria", "Switzerland", "United Kingdom", "Netherlands")

REPS = tuple(f"rep-{number:02d}" for number in range(1, 9))
