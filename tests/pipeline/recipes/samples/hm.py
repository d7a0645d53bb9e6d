"""Dates; ids with leading zeros; empty cells; two purchases of an article on one day."""

from tests.pipeline.recipes.sample import Sample

ARTICLES = (
    "article_id,product_code,prod_name,product_type_no,product_type_name,product_group_name,"
    "graphical_appearance_no,graphical_appearance_name,colour_group_code,colour_group_name,"
    "perceived_colour_value_id,perceived_colour_value_name,perceived_colour_master_id,"
    "perceived_colour_master_name,department_no,department_name,index_code,index_name,"
    "index_group_no,index_group_name,section_no,section_name,garment_group_no,"
    "garment_group_name,detail_desc\n"
)
REST = (
    "253,Vest top,Garment Upper body,1010016,Solid,09,Black,4,Dark,5,Black,1676,Jersey Basic,A,"
    "Ladieswear,1,Ladieswear,16,Womens Basics,1002,Jersey Basic"
)
CUSTOMERS = [f"{n:064x}" for n in range(4)]
SAMPLE = Sample(
    {
        "transactions_train.csv": "t_dat,customer_id,article_id,price,sales_channel_id\n"
        + "".join(
            f"2018-09-{20 + day},{customer},0{108775015 + 29 * n},0.0508305084745762,{1 + n}\n"
            for day, customer in enumerate(CUSTOMERS)
            for n in range(2)
            for _ in range(1 + (day == 0 and n == 0))
        )
        + "".join(f"2018-10-0{n},{CUSTOMERS[0]},0108775044,0.030491525423728,2\n" for n in (1, 2)),
        "articles.csv": ARTICLES
        + f'0108775015,0108775,Plain top,{REST},"Jersey top, with ""narrow"" straps."\n'
        + f"0108775044,0108775,Plain top (1),{REST},\n",
        "customers.csv": (
            "customer_id,FN,Active,club_member_status,fashion_news_frequency,age,postal_code\n"
        )
        + f"{CUSTOMERS[0]},,,ACTIVE,NONE,49.0,52043e\n"
        + f"{CUSTOMERS[1]},1.0,1.0,ACTIVE,Regularly,,29738f\n"
        + f"{CUSTOMERS[2]},,,,,24.0,64f17e\n"
        + f"{CUSTOMERS[3]},,,PRE-CREATE,NONE,54.0,5d3605\n",
    },
    events=10,
    items=2,
    users=4,
    duplicates={"interactions": 1},
    event=(CUSTOMERS[0], "0108775044", 1538438400),
    user={"user_age": [49.0], "user_club": ["ACTIVE"], "user_news": ["NONE"]},
    item={
        "item_id": ["0108775015"],
        "title": ["Plain top"],
        "item_name": ["Plain top"],
        "item_description": ['Jersey top, with "narrow" straps.'],
        "item_type": ["Vest top"],
        "item_group": ["Garment Upper body"],
        "item_colour": ["Black"],
        "item_pattern": ["Solid"],
        "item_department": ["Jersey Basic"],
        "item_section": ["Womens Basics"],
    },
)
