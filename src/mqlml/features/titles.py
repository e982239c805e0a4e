"""The words of job titles, without accents and signs, in the order in which they are tried.

A `*` stands for more letters, or none: "vertrieb*" is found in "Vertriebsleiterin".
German vowels are listed with and without their "e" (geschaftsfuhrer, geschaeftsfuehrer).
"""

# Words that look like a rank and are none; they are taken out before seniority is read.
NOT_REALLY = """
    lead gen, lead generation, lead management, lead nurturing,
    (?:of|for|to) students?, students? (?:success|affairs|services|recruitment),
    (?:intern|internship) program*, head office, headhunter, staff(?= accountant)
"""

SENIORITY_WORDS = (
    ("unknown", "former, ex, retired, ehemalig*, ancien, ancienne, jubilado, jubilada, rentner*"),
    (
        "intern",
        """
        intern, interns, internship, trainee, trainees, student, students, apprentice,
        praktikant*, werkstudent*, azubi*, auszubildende*, volontar*,
        stagiaire*, alternant*, apprenti, apprentie, etudiant*,
        becario, becaria, practicante*, pasante*, estudiante*
        """,
    ),
    (
        "individual",
        """
        assistants? (?:to|of|for), (?:executive|personal|office|team|administrative|sales)
        assistant, assistant$, assistant $, assistente?, assistentin, assistenz,
        *assisten*, assistante, asistente, secretary, sekretar*, secretaire, secretaria
        """,
    ),
    ("individual", "product owner, process owner"),
    ("director", "chief of staff"),
    (
        "vp",
        """
        vp, svp, evp, avp, rvp, vice president*, vicepresident*, vizeprasident*,
        vice presidente, vice presidenta
        """,
    ),
    (
        "c_level",
        """
        ceo, cfo, cto, cmo, cio, coo, cro, cpo, chro, ciso, cso, cdo, cco, chief,
        founder*, cofounder*, owner, proprietor, president, chairman, chairwoman, chairperson,
        managing director, managing partner, board member,
        geschaftsfuhr*, geschaeftsfuehr*, vorstand*, inhaber*, grunder*, gruender*, prasident*,
        pdg, directeur general, directrice generale, fondateur, fondatrice, gerant, gerante,
        director general, directora general, gerente general, presidente, presidenta,
        fundador, fundadora, propietario, propietaria, duen[oa]
        """,
    ),
    (
        "manager",
        "teamleit*, gruppenleit*, projektleit*, team lead*, teamlead*",
    ),
    (
        "director",
        """
        director*, directeur, directrice, direktor*, head, leiter, leiterin, leitung,
        *leiter, *leiterin, *leitung, prokurist*, dean
        """,
    ),
    (
        "manager",
        """
        manager*, mgr, mngr, lead, leader, supervisor, foreman, controller in chief,
        responsable, chef, cheffe, gerente, jefe, jefa, encargado, encargada,
        bereichsverantwortlich*, verantwortlich*, superviseur, supervisora
        """,
    ),
    ("senior", "senior, sr, snr, principal, staff, expert*, architect*, experte*, confirme*"),
    (
        "individual",
        """
        engineer*, analyst*, specialist*, consultant*, developer*, programmer*, rep, reps,
        representative*, associate*, executive, coordinator*, administrator*, admin, accountant*,
        designer*, assistant, clerk, nurse, teacher, technician*, buyer, scientist*, writer,
        editor, recruiter*, officer, agent, advisor, adviser, lawyer, attorney, counsel,
        bookkeeper, operator, planner, strategist, partner, auditor, copywriter, junior, jr,
        *berater*, einkaufer*, einkaeufer*, entwickler*, sachbearbeit*, mitarbeit*, referent*,
        ingenieur*, techniker*,
        buchhalter*, kaufmann, kauffrau, verkaufer*, vertriebler*,
        analyste*, conseiller*, developpeu*, comptable, vendeu*, charge, chargee, acheteu*,
        analista*, consultor*, ingenier*, desarrollador*, vendedor*, contador*, tecnico, tecnica,
        comercial, commercial, especialista*, abogad*
        """,
    ),
)

FUNCTION_WORDS = (
    (
        "marketing",
        """
        *marketing, mktg, cmo, brand, demand gen*, lead gen*, lead nurturing, growth, content,
        seo, sem, campaign*,
        communications?, pr, public relations, social media, advertising, kommunikation,
        communication, werbung, publicidad, marca, mercadotecnia
        """,
    ),
    (
        "sales",
        """
        *sales, cro, revenue, account executive*, account manager*, business development, bdr,
        sdr, vertrieb*, verkauf*, verkaeuf*, vente, ventes, vendeu*, commercial, commerciale,
        comercial, ventas, vendedor*, key account*
        """,
    ),
    (
        "it",
        """
        it, cto, cio, ciso, engineer*, engineering, developer*, software, devops, data,
        information technology, information systems, technology, security, cyber*,
        infrastructure, cloud, network, programmer*, sysadmin, system administrator*, architect*,
        informatik*, entwickler*, edv, softwareentwick*, ingenieur*, informatique,
        developpeu*, systemes, dsi, informatica, sistemas, tecnologia*, desarrollador*, ingenier*
        """,
    ),
    (
        "finance",
        """
        financ*, cfo, accountant*, accounting, controller, controlling, controllerin, treasur*,
        tax, *audit*, payroll, bookkeeper, finanz*, buchhalt*, rechnungswesen, steuer*,
        financier*, comptab*, tresor*, finanz*, finanzas, contab*, contador*
        """,
    ),
    (
        "hr",
        """
        hr, chro, human resources, people operations, people and culture, people partner,
        talent, recruit*, personalleit*, personalreferent*, personalabteilung, personalwesen,
        personalchef*, personalentwick*, ressources humaines, rh, drh, recursos humanos, rrhh
        """,
    ),
    (
        "legal",
        """
        legal, lawyer, attorney, counsel, compliance, paralegal, recht, rechtsanw*, jurist*,
        juridique, avocat*, juridico, juridica, abogad*
        """,
    ),
)

WEAK_FUNCTION_WORDS = (
    ("product", "product, cpo, produkt*, produit*, producto*"),
    (
        "operations",
        """
        operations?, ops, coo, supply chain, logistic*, procurement, purchasing, buyer,
        manufacturing, production, plant, warehouse, quality, einkauf*, logistik*, produktion*,
        betrieb*, achats, acheteu*, logistique, qualite, operaciones, compras, logistica,
        produccion, office
        """,
    ),
    (
        "management",
        """
        ceo, chief executive, founder*, cofounder*, owner, (?<!vice )president, chairman,
        chairwoman, managing director,
        managing partner, general manager, geschaftsfuhr*, geschaeftsfuehr*, vorstand*,
        inhaber*, grunder*, gruender*, prasident*, pdg, directeur general, directrice generale,
        gerant, gerante, fondateur, fondatrice, director general, directora general,
        gerente general, presidente, presidenta, fundador, fundadora, propietari[oa]
        """,
    ),
)
