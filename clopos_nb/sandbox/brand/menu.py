"""What the brand cooks and sells: data only, read by ``catalogue``.

Prices and costs are qəpik; recipe amounts thousandths of the ingredient's unit.
"""

from __future__ import annotations

from typing import NamedTuple


class Ingredient(NamedTuple):
    """Something bought, by unit."""

    name: str
    unit: str
    cost: int
    category: str
    package: tuple[str, int] | None = None


class Dish(NamedTuple):
    """Something cooked from ingredients and preparations."""

    name: str
    category: str
    price: int
    appeal: int
    minutes: int
    recipe: dict[str, int]
    names: tuple[str, str] | None = None
    groups: tuple[str, ...] = ()
    halves: bool = False


class Goods(NamedTuple):
    """Something sold as it was bought, perhaps in variants (name, price, cost)."""

    name: str
    category: str
    price: int
    cost: int
    appeal: int
    names: tuple[str, str] | None = None
    variants: tuple[tuple[str, int, int], ...] = ()
    by_weight: bool = False
    discountable: bool = True


class Option(NamedTuple):
    """A modificator: an add-on of a dish."""

    name: str
    price: int
    ingredient: str | None = None
    amount: int = 0


class Group(NamedTuple):
    """A modificator group; ``single`` groups take one option at most."""

    name: str
    single: bool
    options: tuple[Option, ...]


CATEGORIES: dict[str, tuple[str, str, str | None]] = {
    "metbex": ("Mətbəx", "PRODUCT", None),
    "plov": ("Plovlar", "PRODUCT", "metbex"),
    "qutab": ("Qutab və xəmir xörəkləri", "PRODUCT", "metbex"),
    "sorba": ("Şorbalar və piti", "PRODUCT", "metbex"),
    "kabab": ("Kabablar", "PRODUCT", "metbex"),
    "qazan": ("Dolmalar və qazan xörəkləri", "PRODUCT", "metbex"),
    "salat": ("Salatlar və məzələr", "PRODUCT", "metbex"),
    "bar": ("Bar", "PRODUCT", None),
    "cay": ("Çay dəsgahı", "PRODUCT", "bar"),
    "qehve": ("Qəhvə", "PRODUCT", "bar"),
    "icki": ("Sərinləşdirici içkilər", "PRODUCT", "bar"),
    "shirniyyat": ("Şirniyyat", "PRODUCT", None),
    "lounge": ("Lounge", "PRODUCT", None),
    "qelyan": ("Qəlyan", "PRODUCT", "lounge"),
    "eylence": ("Əyləncə", "PRODUCT", "lounge"),
    "movsum": ("Mövsüm menyusu", "PRODUCT", None),
    "xammal": ("Xammal", "INGREDIENT", None),
    "et": ("Ət və balıq", "INGREDIENT", "xammal"),
    "terevez": ("Tərəvəz və göyərti", "INGREDIENT", "xammal"),
    "quru": ("Quru ərzaq", "INGREDIENT", "xammal"),
    "sud": ("Süd məhsulları", "INGREDIENT", "xammal"),
    "yarim": ("Yarımfabrikatlar", "INGREDIENT", None),
    "gelir_metbex": ("Mətbəx gəlirləri", "ACCOUNTING", None),
    "gelir_bar": ("Bar gəlirləri", "ACCOUNTING", None),
}
INACTIVE_CATEGORY = "movsum"

STATIONS = {1: "Mətbəx", 2: "Manqal", 3: "Bar", 5: "Şirniyyat"}
STATION_OF = {
    "plov": 1, "qutab": 1, "sorba": 1, "qazan": 1, "salat": 1, "movsum": 1, "kabab": 2,
    "cay": 3, "qehve": 3, "icki": 3, "qelyan": 3, "eylence": 3, "shirniyyat": 5,
}  # fmt: skip

INGREDIENTS = {
    "quzu": Ingredient("Quzu əti", "kq", 1750, "et"),
    "mal": Ingredient("Mal əti", "kq", 1500, "et"),
    "toyuq": Ingredient("Toyuq filesi", "kq", 780, "et", ("Qutu 5 kq", 5)),
    "nere": Ingredient("Nərə balığı", "kq", 3200, "et"),
    "quyruq": Ingredient("Quyruq", "kq", 1100, "et"),
    "sogan": Ingredient("Soğan", "kq", 90, "terevez", ("Kisə 20 kq", 20)),
    "pomidor": Ingredient("Pomidor", "kq", 260, "terevez"),
    "xiyar": Ingredient("Xiyar", "kq", 220, "terevez"),
    "badimcan": Ingredient("Badımcan", "kq", 210, "terevez"),
    "biber": Ingredient("Bibər", "kq", 280, "terevez"),
    "goyerti": Ingredient("Göyərti", "kq", 400, "terevez"),
    "kartof": Ingredient("Kartof", "kq", 95, "terevez", ("Kisə 30 kq", 30)),
    "limon": Ingredient("Limon", "kq", 350, "terevez"),
    "nane": Ingredient("Nanə", "kq", 600, "terevez"),
    "yarpaq": Ingredient("Tənək yarpağı", "kq", 700, "terevez"),
    "duyu": Ingredient("Düyü", "kq", 420, "quru", ("Kisə 25 kq", 25)),
    "un": Ingredient("Un", "kq", 110, "quru", ("Kisə 50 kq", 50)),
    "noxud": Ingredient("Noxud", "kq", 340, "quru"),
    "sabalid": Ingredient("Şabalıd", "kq", 900, "quru"),
    "qaysi": Ingredient("Qaysı qurusu", "kq", 1200, "quru"),
    "qoz": Ingredient("Qoz ləpəsi", "kq", 1600, "quru"),
    "zeferan": Ingredient("Zəfəran dəmləməsi", "litr", 2500, "quru"),
    "cay": Ingredient("Çay (quru)", "kq", 1400, "quru", ("Qutu 24 əd", 24)),
    "qehve": Ingredient("Qəhvə dənəsi", "kq", 2800, "quru"),
    "seker": Ingredient("Şəkər", "kq", 160, "quru"),
    "yumurta": Ingredient("Yumurta", "ədəd", 18, "quru", ("Lotok 30 əd", 30)),
    "yag": Ingredient("Kərə yağı", "kq", 1450, "sud"),
    "qatiq": Ingredient("Qatıq", "kq", 320, "sud"),
    "pendir": Ingredient("Pendir", "kq", 980, "sud"),
    "sud": Ingredient("Süd", "litr", 210, "sud"),
}
"""Keys are Latin so that recipes read as keyword lists."""

PREPARATIONS: dict[str, tuple[str, str, dict[str, int]]] = {
    "xemir": ("Qutab xəmiri", "kq", {"un": 700, "yumurta": 2000}),
    "qiyme": ("Ət qiyməsi", "kq", {"quzu": 800, "sogan": 250, "quyruq": 50}),
    "dem": ("Dəmlənmiş plov düyüsü", "kq", {"duyu": 450, "yag": 60, "zeferan": 10}),
    "ic": ("Dolma içi", "kq", {"mal": 650, "duyu": 200, "sogan": 150, "goyerti": 60}),
    "bulyon": ("Ət bulyonu", "litr", {"mal": 250, "sogan": 60}),
    "serbet": ("Şərbət siropu", "litr", {"seker": 600, "limon": 80}),
}

GROUPS = {
    "aci": Group(
        "Acılıq dərəcəsi", True, (Option("Acısız", 0), Option("Orta acılı", 0), Option("Acılı", 50))
    ),
    "elave": Group(
        "Əlavələr",
        False,
        (
            Option("Əlavə qatıq", 100, "qatiq", 80),
            Option("Göyərti dəstəsi", 150, "goyerti", 60),
            Option("Sumax", 40),
            Option("Kərə yağı", 120, "yag", 30),
        ),
    ),
    "qara": Group(
        "Plov qarası",
        True,
        (
            Option("Quzu qara", 350, "quzu", 120),
            Option("Toyuq qara", 200, "toyuq", 120),
            Option("Quru meyvə", 180, "qaysi", 60),
        ),
    ),
    "cay": Group(
        "Çaya əlavə",
        False,
        (
            Option("Limon", 100, "limon", 50),
            Option("Nanə", 70, "nane", 10),
            Option("Kəklikotu", 80),
        ),
    ),
}

DISHES = (
    Dish("Şah plov", "plov", 2850, 4, 35, {"dem": 350, "quzu": 180, "qaysi": 60, "sabalid": 50},
         ("Shah pilaf", "Шах-плов"), ("qara",)),
    Dish("Səbzi plov", "plov", 1250, 10, 25, {"dem": 300, "quzu": 150, "goyerti": 120},
         ("Herb pilaf", "Сабзи плов"), ("qara", "elave"), halves=True),
    Dish("Toyuq plov", "plov", 1090, 9, 22, {"dem": 300, "toyuq": 160, "qaysi": 40},
         ("Chicken pilaf", "Плов с курицей"), ("qara",), halves=True),
    Dish("Şüyüd plov", "plov", 980, 5, 22, {"dem": 320, "goyerti": 90}, None, ("qara",)),
    Dish("Ət qutabı", "qutab", 190, 18, 10, {"xemir": 80, "qiyme": 70},
         ("Meat qutab", "Кутаб с мясом"), ("elave",)),
    Dish("Göy qutabı", "qutab", 160, 16, 10, {"xemir": 80, "goyerti": 90},
         ("Herb qutab", "Кутаб с зеленью"), ("elave",)),
    Dish("Balqabaq qutabı", "qutab", 170, 6, 10, {"xemir": 80, "qoz": 15}),
    Dish("Pendir qutabı", "qutab", 180, 7, 10, {"xemir": 80, "pendir": 60}),
    Dish("Gürzə", "qutab", 890, 6, 18, {"xemir": 180, "qiyme": 150}, None, ("elave",)),
    Dish("Xəngəl", "qutab", 850, 7, 18, {"xemir": 220, "qatiq": 80, "sogan": 60},
         ("Khangal", "Хингал"), ("elave",)),
    Dish("Düşbərə", "sorba", 720, 12, 15, {"xemir": 100, "qiyme": 80, "bulyon": 300},
         ("Dushbara", "Дюшбара"), ("aci",)),
    Dish("Piti", "sorba", 950, 9, 40, {"quzu": 180, "noxud": 80, "sabalid": 30},
         ("Piti", "Пити"), ("aci",), halves=True),
    Dish("Mərci şorbası", "sorba", 480, 12, 10, {"noxud": 90, "sogan": 40},
         ("Lentil soup", "Чечевичный суп")),
    Dish("Dovğa", "sorba", 420, 8, 10, {"qatiq": 250, "goyerti": 60, "duyu": 20},
         ("Dovgha", "Довга")),
    Dish("Küftə-bozbaş", "sorba", 880, 7, 25, {"qiyme": 200, "noxud": 60, "bulyon": 300}),
    Dish("Toyuq şorbası", "sorba", 520, 8, 12, {"toyuq": 100, "kartof": 80}),
    Dish("Lülə kabab", "kabab", 890, 13, 18, {"qiyme": 220, "quyruq": 20},
         ("Lula kebab", "Люля-кебаб"), ("aci", "elave")),
    Dish("Tikə kabab", "kabab", 1150, 9, 20, {"quzu": 260, "sogan": 40},
         ("Lamb tikka", "Тика-кебаб"), ("aci", "elave")),
    Dish("Toyuq kababı", "kabab", 790, 12, 18, {"toyuq": 260, "sogan": 30},
         ("Chicken kebab", "Куриный кебаб"), ("aci", "elave")),
    Dish("Antrekot", "kabab", 1390, 5, 22, {"quzu": 320}),
    Dish("Nərə kababı", "kabab", 2450, 2, 22, {"nere": 260, "limon": 30}),
    Dish("Badımcan kababı", "kabab", 550, 6, 15, {"badimcan": 250, "quyruq": 20}),
    Dish("Kartof kababı", "kabab", 320, 7, 15, {"kartof": 250, "quyruq": 25}),
    Dish("Üç bacı dolması", "qazan", 1050, 9, 30, {"ic": 220, "badimcan": 120, "biber": 100},
         ("Three sisters dolma", "Долма «Три сестры»"), ("elave",)),
    Dish("Yarpaq dolması", "qazan", 990, 10, 30, {"ic": 200, "yarpaq": 60},
         ("Vine leaf dolma", "Долма из листьев"), ("elave",)),
    Dish("Kələm dolması", "qazan", 820, 6, 30, {"ic": 220}),
    Dish("Toyuq sac", "qazan", 2190, 4, 35, {"toyuq": 450, "kartof": 250, "biber": 120}),
    Dish("Quzu sac", "qazan", 2890, 4, 40, {"quzu": 450, "kartof": 250, "badimcan": 120}),
    Dish("Buğlama", "qazan", 1380, 4, 40, {"quzu": 260, "pomidor": 150, "sogan": 80}),
    Dish("Pomidor-yumurta", "qazan", 560, 7, 12, {"pomidor": 250, "yumurta": 3000, "yag": 20}),
    Dish("Çoban salatı", "salat", 490, 13, 7, {"pomidor": 150, "xiyar": 120, "goyerti": 20},
         ("Shepherd's salad", "Салат «Чобан»")),
    Dish("Mangal salatı", "salat", 620, 9, 12, {"badimcan": 180, "biber": 80, "pomidor": 80},
         ("Grilled vegetables", "Мангал-салат")),
    Dish("Paytaxt salatı", "salat", 560, 6, 8, {"toyuq": 70, "kartof": 90, "yumurta": 1000}),
    Dish("Göyərti süfrəsi", "salat", 350, 9, 3, {"goyerti": 120}),
    Dish("Pendir seçimi", "salat", 780, 6, 4, {"pendir": 130, "qoz": 20}),
    Dish("Nar-qoz salatı", "salat", 690, 4, 8, {"qoz": 40, "goyerti": 60}),
    Dish("Qarışıq turşu", "salat", 450, 6, 3, {"xiyar": 120, "biber": 50}),
    Dish("Çay dəsgahı", "cay", 600, 14, 6, {"cay": 15, "limon": 40, "seker": 60},
         ("Tea set", "Чайный набор"), ("cay",)),
    Dish("Armudu çay", "cay", 120, 14, 3, {"cay": 3}, ("Glass of tea", "Чай армуду"), ("cay",)),
    Dish("Kəklikotu çayı", "cay", 350, 5, 5, {"cay": 6}, None, ("cay",)),
    Dish("Nar şərbəti", "icki", 380, 6, 3, {"serbet": 120}, ("Pomegranate sherbet", "Шербет")),
    Dish("Ayran", "icki", 220, 11, 2, {"qatiq": 200}, ("Ayran", "Айран")),
    Dish("Limonad (ev üsulu)", "icki", 420, 7, 4, {"serbet": 100, "limon": 60, "nane": 5}),
    Dish("Espresso", "qehve", 280, 5, 3, {"qehve": 9}),
    Dish("Amerikano", "qehve", 320, 7, 3, {"qehve": 12}),
    Dish("Kapuçino", "qehve", 420, 8, 4, {"qehve": 12, "sud": 160}),
    Dish("Türk qəhvəsi", "qehve", 350, 6, 5, {"qehve": 10}),
    Dish("Şəkərbura", "shirniyyat", 180, 7, 2, {"un": 40, "qoz": 25, "seker": 20},
         ("Shekerbura", "Шекербура")),
    Dish("Fəsəli", "shirniyyat", 420, 4, 12, {"un": 120, "yag": 40}),
    Dish("Qaymaqlı künəfə", "shirniyyat", 790, 5, 15, {"pendir": 90, "seker": 60, "yag": 30}),
    Dish("Novruz xonçası", "movsum", 2500, 0, 10, {"qoz": 120, "qaysi": 100, "seker": 80}),
    Dish("Qəlyan (klassik)", "qelyan", 2500, 6, 10, {"nane": 10}),
    Dish("Qəlyan (premium)", "qelyan", 3500, 3, 10, {"nane": 15}),
)  # fmt: skip

GOODS = (
    Goods("Fanta", "icki", 0, 0, 7, None, (("0.33 L", 220, 95), ("0.5 L", 280, 125))),
    Goods("Koka-Kola", "icki", 0, 0, 11, None,
          (("0.33 L", 220, 95), ("0.5 L", 280, 125), ("1 L", 420, 190))),
    Goods("Su (qazsız)", "icki", 0, 0, 12, ("Still water", "Вода без газа"),
          (("0.5 L", 120, 40), ("1 L", 190, 70))),
    Goods("Mineral su", "icki", 200, 80, 8, ("Mineral water", "Минеральная вода")),
    Goods("Nar suyu", "icki", 450, 190, 5, ("Pomegranate juice", "Гранатовый сок")),
    Goods("Kompot (bankada)", "icki", 550, 240, 4),
    Goods("Paxlava (kq)", "shirniyyat", 2400, 1100, 4, ("Baklava", "Пахлава"), by_weight=True),
    Goods("Şor qoğalı", "shirniyyat", 150, 55, 6),
    Goods("Mürəbbə seçimi", "shirniyyat", 450, 160, 7, ("Jam selection", "Варенье")),
    Goods("Təndir çörəyi", "qutab", 80, 25, 16, ("Tandir bread", "Тандырный хлеб")),
    Goods("Quzu kababı (kq)", "kabab", 3900, 2100, 2, None, by_weight=True),
    Goods("Mal pendiri (kq)", "salat", 1900, 980, 1, None, by_weight=True),
    Goods("Qablaşdırma", "qutab", 50, 18, 6, ("Packaging", "Упаковка"), discountable=False),
)  # fmt: skip

TIMER = ("Bilyard masası (saat)", "eylence", 800, 4)
