"""One word, sign or letter exchanged makes another fact; another spelling does not."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from scout_cli.core.cutoffs import Cutoffs
from scout_cli.core.details import signature
from scout_cli.core.differences import compare
from scout_cli.core.novelty import decide
from scout_cli.core.ports import Earlier, Neighbour
from scout_cli.core.spelling import digits

LEVELS = Cutoffs(lower=0.46, upper=0.66, background=0.1)
OTHER = (
    (
        "The parliament of Austria approved the new wine law on Tuesday.",
        "The parliament of Australia approved the new wine law on Tuesday.",
    ),
    (
        "The president of Niger met the minister for talks on trade in May.",
        "The president of Nigeria met the minister for talks on trade in May.",
    ),
    (
        "The city will pay $5 million for the new bridge.",
        "The city will pay €5 million for the new bridge.",
    ),
    ("The fine for the company is £200.", "The fine for the company is $200."),
    (
        "Temperatures fall to 5 degrees in Alder tonight.",
        "Temperatures fall to -5 degrees in Alder tonight.",
    ),
    (
        "Temperatures fall to 5 degrees in Alder tonight.",
        "Temperatures fall to −5 degrees in Alder tonight.",
    ),
    (
        "Shares of Nordbank moved +3.2 percent on Friday.",
        "Shares of Nordbank moved -3.2 percent on Friday.",
    ),
    (
        "The compiler for C 12 was released on Monday.",
        "The compiler for C# 12 was released on Monday.",
    ),
    ("Support for C ends in the Corvid editor.", "Support for C++ ends in the Corvid editor."),
    ("The Elm bridge is closed before 5 May.", "The Elm bridge is closed after 5 May."),
    (
        "Flights go from Oslo to Rome each day in summer.",
        "Flights go to Oslo from Rome each day in summer.",
    ),
    (
        "The union will strike at the port of Hollen.",
        "The union could strike at the port of Hollen.",
    ),
    ("The fees are in the price of the ticket.", "The fees are not in the price of the ticket."),
    ("The ferry leaves for Hollen at 9:00.", "The ferry leaves for Hollen at 9:30."),
    (
        "More than 50 people work at the Alder plant.",
        "Less than 50 people work at the Alder plant.",
    ),
    ("Die Elmbrücke ist vor dem 5. Mai gesperrt.", "Die Elmbrücke ist nach dem 5. Mai gesperrt."),
    ("Мост закрыт до 5 мая.", "Мост закрыт после 5 мая."),
    ("Мост закрыт с 5 мая.", "Мост закрыт до 5 мая."),
    ("Le pont est fermé avant le 5 mai.", "Le pont est fermé après le 5 mai."),
    ("El puente se cierra desde el 5 de mayo.", "El puente se cierra hasta el 5 de mayo."),
    ("Entry is with a ticket only at the museum.", "Entry is without a ticket at the museum."),
    ("Die Maut gilt mit Anhänger auf der A7.", "Die Maut gilt ohne Anhänger auf der A7."),
    ("The vote was 5-3 for the plan.", "The vote was 3-5 for the plan."),
    ("The team won 2:1 against Alder.", "The team won 1:2 against Alder."),
    ("Hollen beat Alder in the final.", "Alder beat Hollen in the final."),
    ("The museum is open on Monday.", "The museum is open on Monday and Tuesday."),
    ("Two workers were hurt in the fire.", "One worker was hurt in the fire."),
    (
        "The second round of talks on the ferry failed.",
        "The third round of talks on the ferry failed.",
    ),
    ("The minister said he would resign.", "The minister said she would resign."),
    ("Half of the tickets for the ferry are sold.", "All of the tickets for the ferry are sold."),
    ("Some of the trains will run on Sunday.", "All of the trains will run on Sunday."),
    ("The price of milk rose 3 cents.", "The price of milk rose 3 euros."),
    ("Version 2.0 beta is out.", "Version 2.0 is out."),
    ("Apple will pay 5m to the city.", "Apple will pay 5bn to the city."),
    ("The dam holds 5 m of water.", "The dam holds 5 km of water."),
    (
        "The court ruled for the city in the Elm case.",
        "The court ruled against the city in the Elm case.",
    ),
    (
        "Der Stadtrat stimmte für den Bau der Brücke.",
        "Der Stadtrat stimmte gegen den Bau der Brücke.",
    ),
    ("Le conseil a voté pour le pont.", "Le conseil a voté contre le pont."),
    ("Hollen's mayor Johnson opened the school.", "Hollen's mayor Johnston opened the school."),
    (
        "The road between Alder and Kirchberg reopens.",
        "The road between Alder and Kirchdorf reopens.",
    ),
    ("Tickets for the concert are on sale.", "Tickets for the concert are off sale."),
    ("The ship is over budget.", "The ship is under budget."),
    ("La entrada es para adultos.", "La entrada no es para adultos."),
    ("Le musée n'ouvre que le lundi.", "Le musée ouvre le lundi."),
    ("The strike ends at 6 am on Friday.", "The strike ends at 6 pm on Friday."),
    ("The temperature in the oven is 200 °C.", "The temperature in the oven is 200 °F."),
    ("Sales grew 5% in Q1.", "Sales grew 5% in Q2."),
    ("World Cup II starts in Alder.", "World Cup III starts in Alder."),
    ("The company named Anna Petrov as chair.", "The company named Ivan Petrov as chair."),
    ("Up to 300 jobs go at the yard.", "At least 300 jobs go at the yard."),
    ("Rent may rise by 3 percent.", "Rent will rise by 3 percent."),
    (
        "The firm says it will not close the plant, union says.",
        "The firm says it will close the plant, union says.",
    ),
    (
        "Police arrested a dozen people at the rally.",
        "Police arrested a hundred people at the rally.",
    ),
    ("Der Preis steigt um 3 Euro.", "Der Preis steigt auf 3 Euro."),
    ("The price falls by 3 euros.", "The price falls to 3 euros."),
    ("Цена выросла на 5 рублей.", "Цена выросла до 5 рублей."),
    (
        "The nuts are safe to eat, tests found no trace of lead.",
        "The nuts are not safe to eat, tests found a trace of lead.",
    ),
    (
        "Arkadine denied on Tuesday that it will sell its memory unit.",
        "Arkadine confirmed on Tuesday that it will sell its memory unit.",
    ),
    (
        "Members in Hollen will vote on Thursday whether to strike over pay.",
        "Members in Hollen voted on Thursday to strike over pay.",
    ),
    (
        "Two climbers are stuck on the Elm ridge near Alder since Monday.",
        "Two climbers stuck on the Elm ridge near Alder since Monday have died.",
    ),
    (
        "The A9 is closed northbound at Alder after a crash.",
        "The A9 is closed southbound at Alder after a crash.",
    ),
    (
        "Die A 38 ist nach einem Unfall bei Leinefelde gesperrt.",
        "Die A 38 ist nach einem Unfall bei Leinefelde wieder frei.",
    ),
    (
        "La directora dice que Prado Alto venderá la marca.",
        "La directora descarta que Prado Alto venda la marca.",
    ),
)
EQUAL = (
    ("The city will pay 200 euros for it.", "The city will pay two hundred euros for it."),
    ("The bridge costs 1.5 million euros.", "The bridge costs €1.5m."),
    ("The gate opens at 12:00 at the fair.", "The gate opens at noon at the fair."),
    ("The city counted 12 swans on the lake.", "The city counted a dozen swans on the lake."),
    ("Vingt et un ouvriers ont été blessés à Lyon.", "21 ouvriers ont été blessés à Lyon."),
    ("Quatre-vingts emplois sont supprimés à Lyon.", "80 emplois sont supprimés à Lyon."),
    ("Einundzwanzig Arbeiter wurden in Köln verletzt.", "21 Arbeiter wurden in Köln verletzt."),
    ("Сто рабочих уволены с завода.", "С завода уволены 100 рабочих."),
    ("Tarrow recalled 18,200 cars over a fault.", "Tarrow recalled more than 18,000 cars."),
    ("The mayor of Poznań resigned on 3 May.", "On 3 May the mayor of Poznań resigned."),
    (
        "The wells near Alder hold 3 toxins and are not safe.",
        "Not safe: the wells near Alder hold 3 toxins.",
    ),
)
OTHER_MATTERS = (
    ("Volvo Recalls 300 Cars Over Brake Fault", "Toyota Recalls 500 Cars Over Brake Fault"),
    ("Alder opened 3 schools in the spring.", "Hollen opened 5 schools in the spring."),
    ("Rotterdam recorded 12 cases of measles.", "Utrecht recorded 30 cases of measles."),
    ("Police in Austria arrested 3 people.", "Police in Australia arrested 5 people."),
    ("A 45-year-old man died in a fire in Alder.", "A 62-year-old man died in a fire in Alder."),
    ("Москва купит 30 автобусов.", "Казань купит 50 автобусов."),
)


def decided(earlier, later, cosine=1.0):
    """Return what is decided about the later sentence, as close to the earlier as can be."""
    known = Earlier(
        id=UUID(int=1),
        fact=earlier,
        canonical_url="https://harbour.example/",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    return decide(later, [Neighbour(finding=known, cosine=cosine)], LEVELS).novelty


@pytest.mark.parametrize(("earlier", "later"), OTHER)
def test_a_small_difference_is_told(earlier, later):
    """Neither is the other one's repeat, however alike a model finds them."""
    assert decided(earlier, later) != "repeat"
    if len(earlier.split()) == len(later.split()):  # a detail less is a repeat, one more is not
        assert decided(later, earlier) != "repeat"


@pytest.mark.parametrize(("earlier", "later"), EQUAL)
def test_another_spelling_is_a_repeat(earlier, later):
    """Numbers, times and amounts are one thing however they are written."""
    assert decided(earlier, later, cosine=0.8) == "repeat"


@pytest.mark.parametrize(("earlier", "later"), OTHER_MATTERS)
def test_another_subject_is_no_update(earlier, later):
    """Who or where is another one: the numbers are not compared with those before."""
    assert decided(earlier, later, cosine=0.8) == "new"


@pytest.mark.parametrize(
    ("earlier", "later", "told"),
    [
        (
            "The museum is open on Monday and Friday.",
            "The museum is open on Tuesday and Wednesday.",
            "Tuesday and Wednesday instead of Monday and Friday",
        ),
        (
            "The concerts are on 3 May and 9 May.",
            "The concerts are on 4 May and 10 May.",
            "4 and 10 instead of 3 and 9",
        ),
        (
            "Le musée n'ouvre pas le lundi et l'entrée reste payante.",
            "Le musée ouvre le lundi et l'entrée n'est pas payante.",
            "ouvre",
        ),
    ],
)
def test_what_differs_is_told(earlier, later, told):
    """All dates, in the order of the calendar; the first word that only one sentence denies."""
    assert compare(signature(later), signature(earlier)).changed == told


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("It costs two thousand five hundred euros.", "It costs 2500 euros."),
        ("It costs 1.5 million euros.", "It costs 1.5 million euros."),
        ("Millions of people saw one of them.", "Millions of people saw one of them."),
        ("It rose by three cents, to 3 cents.", "It rose by 3 cents, to 3 cents."),
        ("It is the third one, and once more.", "It is the third one, and once more."),
        ("Once closed, open for two hundred days", "Once closed, open for 200 days"),
        ("Drei Millionen und 3 Millionen", "3000000 und 3 Millionen"),
        ("dix pour cent de la dette, deux cents euros", "10 % de la dette, 200 euros"),
        ("сто двадцать пять и двести пять", "125 и 205"),
    ],
)
def test_numbers_in_words_are_digits(written, read):
    """Cardinals only: one is an article, the third is not three, a scale alone is no number."""
    assert digits(written) == read
