import pytest

from mqlml.features.demographics import (
    BUYING_ROLES,
    FUNCTIONS,
    SENIORITIES,
    title_buying_role,
    title_function,
    title_seniority,
)

# Labelled by hand: title, seniority, function.
TITLES = (
    ("CEO", "c_level", "management"),
    ("CEO & Co-Founder", "c_level", "management"),
    ("Chief Executive Officer", "c_level", "management"),
    ("Founder", "c_level", "management"),
    ("Business Owner", "c_level", "management"),
    ("President", "c_level", "management"),
    ("Managing Director", "c_level", "management"),
    ("CTO / Co-founder", "c_level", "it"),
    ("Chief Marketing Officer", "c_level", "marketing"),
    ("Chief Information Security Officer (CISO)", "c_level", "it"),
    ("Chief Financial Officer", "c_level", "finance"),
    ("Chief Human Resources Officer", "c_level", "hr"),
    ("Chief Product Officer", "c_level", "product"),
    ("COO", "c_level", "operations"),
    ("CRO", "c_level", "sales"),
    ("Geschäftsführer", "c_level", "management"),
    ("Geschaeftsfuehrerin", "c_level", "management"),
    ("GESCHÄFTSFÜHRENDER GESELLSCHAFTER", "c_level", "management"),
    ("Vorstand Vertrieb", "c_level", "sales"),
    ("Directeur Général", "c_level", "management"),
    ("PDG", "c_level", "management"),
    ("Directora General", "c_level", "management"),
    ("Presidenta", "c_level", "management"),
    ("VP Sales", "vp", "sales"),
    ("SVP, Engineering", "vp", "it"),
    ("Vice President of Marketing", "vp", "marketing"),
    ("Assistant Vice President", "vp", "other"),
    ("Vice President of Student Success", "vp", "other"),
    ("Vizepräsident Finanzen", "vp", "finance"),
    ("Head of IT", "director", "it"),
    ("Head of Product Marketing", "director", "marketing"),
    ("Director of Sales & Marketing", "director", "sales"),
    ("Associate Director, Clinical Operations", "director", "operations"),
    ("Chief of Staff", "director", "other"),
    ("Vertriebsleiterin", "director", "sales"),
    ("IT-Leiter", "director", "it"),
    ("Leiter Einkauf", "director", "operations"),
    ("Leitung Personalwesen", "director", "hr"),
    ("Directrice des ressources humaines", "director", "hr"),
    ("Director de Finanzas", "director", "finance"),
    ("Sr. Mgr, Demand Gen", "manager", "marketing"),
    ("Marketing Manager", "manager", "marketing"),
    ("Product Manager", "manager", "product"),
    ("Assistant Manager", "manager", "other"),
    ("International Sales Manager", "manager", "sales"),
    ("Intern Program Manager", "manager", "other"),
    ("Team Lead Customer Success", "manager", "other"),
    ("Teamleiter Buchhaltung", "manager", "finance"),
    ("Responsable Marketing", "manager", "marketing"),
    ("Chef de produit", "manager", "product"),
    ("Jefe de Ventas", "manager", "sales"),
    ("Gerente de Compras", "manager", "operations"),
    ("Senior Data Scientist", "senior", "it"),
    ("Principal Architect", "senior", "it"),
    ("Staff Engineer", "senior", "it"),
    ("Sr Accountant", "senior", "finance"),
    ("Software Engineer", "individual", "it"),
    ("Data Analyst", "individual", "it"),
    ("Account Executive", "individual", "sales"),
    ("Lead Generation Specialist", "individual", "marketing"),
    ("Product Owner", "individual", "product"),
    ("Internal Auditor", "individual", "finance"),
    ("Staff Accountant", "individual", "finance"),
    ("General Counsel", "individual", "legal"),
    ("HR Business Partner", "individual", "hr"),
    ("Sachbearbeiterin Einkauf", "individual", "operations"),
    ("Steuerberater", "individual", "finance"),
    ("Comptable", "individual", "finance"),
    ("Développeuse web", "individual", "it"),
    ("Ingeniero de Sistemas", "individual", "it"),
    ("Assistant to the VP of Sales", "individual", "sales"),
    ("Executive Assistant to the CEO", "individual", "management"),
    ("Vorstandsassistentin", "individual", "management"),
    ("Assistenz der Geschäftsführung", "individual", "management"),
    ("VP-level intern", "intern", "other"),
    ("Marketing Intern", "intern", "marketing"),
    ("Werkstudentin Vertrieb", "intern", "sales"),
    ("Stagiaire RH", "intern", "hr"),
    ("Becario de Marketing", "intern", "marketing"),
    ("MBA student", "intern", "other"),
    ("Former CEO", "unknown", "management"),
    ("Marketing", "unknown", "marketing"),
    ("🚀", "unknown", "other"),
    ("", "unknown", "other"),
    ("n/a", "unknown", "other"),
    ("🚀 Growth Hacker | VP Growth 🚀", "vp", "marketing"),
    ("x" * 10_000, "unknown", "other"),
    ("Director " + "very " * 2_000 + "CEO", "director", "other"),
    ("Ｈｅａｄ　ｏｆ　Ｓａｌｅｓ", "director", "sales"),
)


@pytest.mark.parametrize(("title", "seniority", "function"), TITLES, ids=lambda t: str(t)[:40])
def test_a_title_says_seniority_and_function(title: str, seniority: str, function: str) -> None:
    assert (title_seniority(title), title_function(title)) == (seniority, function)


def test_every_label_is_one_of_the_declared_names() -> None:
    assert {seniority for _, seniority, _ in TITLES} == set(SENIORITIES)
    assert {function for _, _, function in TITLES} == set(FUNCTIONS)
    assert {title_buying_role(title) for title, _, _ in TITLES} == set(BUYING_ROLES)


@pytest.mark.parametrize(
    ("title", "role"),
    [
        ("CFO", "decision_maker"),
        ("VP Sales", "decision_maker"),
        ("Head of IT", "decision_maker"),
        ("Product Manager", "influencer"),
        ("Senior Engineer", "influencer"),
        ("Data Analyst", "user"),
        ("Assistant to the CEO", "user"),
        ("Marketing Intern", "none"),
        ("🚀", "none"),
    ],
)
def test_the_buying_role_follows_seniority(title: str, role: str) -> None:
    assert title_buying_role(title) == role
