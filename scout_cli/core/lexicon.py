"""Words that change what a sentence says, in five languages: not, opened or closed, delayed.

Stems, compared with the beginning of a folded word; a full stop at the end means the whole word.
English, German, French, Spanish and Russian; another language has numbers and names only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain, islice

from scout_cli.core.words import fold


def _stems(listed: str) -> tuple[tuple[str, ...], frozenset[str]]:
    """Return the stems of a list, and its whole words."""
    found = [fold(word) for word in listed.split()]
    whole = frozenset(word.rstrip(".") for word in found if word.endswith("."))
    return tuple(word for word in found if not word.endswith(".")), whole


_NOT = _stems(
    "not. no. never. none. nobody. nothing. neither. nor. without. cannot. unable. "
    "isn't. won't. doesn't. didn't. don't. wasn't. aren't. weren't. can't. couldn't. hasn't. "
    "haven't. hadn't. wouldn't. shouldn't. "
    "nicht. kein. keine. keinen. keiner. keinem. keines. nie. niemals. ohne. niemand. nichts. "
    "ne. jamais. aucun. aucune. sans. "
    "nunca. jamas. ningun. ninguna. ninguno. sin. nadie. nada. "
    "не. нет. никогда. без. ни. никто. ничего. нельзя."
)

_REACH = 2
"""Words behind a `not` that it is taken to deny."""
_SECOND_HALF = "pas"
"""Of a French `not`, behind the verb; by itself it is a step."""
_NO_DENIAL = re.compile(
    r"\b(?:(?:no|not) (?:more|less|fewer|later|earlier) than|not only|not without|"
    r"nicht (?:mehr als|weniger als|nur|ohne|spater als)|(?:ne .{1,30})?pas (?:plus|moins) de|"
    r"pas seulement|non seulement|no (?:mas|menos) de|no solo|не (?:более|менее|позднее|только))\b"
)
"""A `not` that only sets a bound, or that another one takes back."""

_STATES = {
    name: _stems(listed)
    for name, listed in {
        "cancelled": "cancel scrap. scraps. scrapped. scrapping. abandon called-off "
        "abgesagt. absag abgeblasen annul cancela cancelo suspendid отмен",
        "halted": "halt block bloqu stopp. stoppt. stoppen. stoppte. gestoppt. unterbroch "
        "interrupt interromp paraliz parali приостан",
        "postponed": "postpon delay pushed-back defer verschob verschieb verzog verspat vertag "
        "retard repouss ajourn adjourn vertag aplaz retras pospon pospuest "
        "отлож перенес перенос задерж",
        "resumed": "resum restart wieder-auf wiederauf reprend reprise. repris. reanud возобнов",
        "approved": "approv adopt. adopted. adopts. greenlit. genehmig gebillig bewillig "
        "approuv adopte. aprob aprueb одобр утверд",
        "rejected": "reject refus declin denies. denied. denying. veto abgelehn ablehn "
        "verweiger rejet niega. nego. recha отклон отказ отверг",
        "denied": "denies. denied. denying. disput refut clears. cleared. dismisses. dementi "
        "bestreite bestritt widerleg dement desmient desminti descart niega. nego. опроверг "
        "отрица",
        "confirmed": "confirm bestatig подтверд",
        "opened": "open. opens. opened. opening. openings. reopen inaugur eroffn "
        "wiedereroffn offnet. offnen. freigegeben. rouvr rouvert reabr reabier "
        "geoffnet. ouvr ouvert abre. abrir. abrio. abrira. abierto. abierta. откры откро",
        "closed": "close. closes. closed. closing. closure. closures. shut schliess "
        "gesperrt. sperrung geschlossen. schloss. ferm cierr cerr закры закро",
        "created": "create. creates. created. creating. schafft. schaffen. schuf. geschaffen. "
        "cree. creent. creer. crea. crean. crear. creo. создаст созда",
        "rose": "rise. rises. rose. rising. risen. increas grow. grows. grew. grown. soar climb "
        "relev gain. gains. gained. steig stieg gestieg erhoh zunahm hauss augment grimp progress "
        "sube. subio. suben. subir. aument crec вырос растет. рост. увелич повы",
        "fell": "fall. falls. fell. fallen. falling. decreas drop declin. shrink. shrank. sink "
        "cut. cuts. cutting. lower. lowers. lowered. sank. gesunken. gefallen. fiel. sanken. "
        "senk gesenk reduz ruckgang baiss recul chut dimin baja. bajo. bajan. bajar. caen. cae. "
        "cayo. disminu reduc упал сниз пониз сократ уменьш",
        "won": "win. wins. won. winning. gewinn gewann. gewonnen. gagn remport gana. gano. ganan. "
        "vence. выигр победи",
        "lost": "lose. loses. lost. losing. verlier verlor perd pierd perdi проигр потеря",
        "arrested": "arrest detain verhaft festgenommen. arret interpell deten detuv арест "
        "задержан",
        "freed": "freed. released. frei. freigelassen. libere libera liberad освобо",
        "recalled": "recall withdraw withdrew ruckruf zuruckgeruf rappel retira. отзыв отозва",
        "started": "start. starts. started. begin. begins. began. begun. beginn begann. "
        "commenc debut empiez empez comienz comenz inici начал начин",
        "ended": "end. ends. ended. finish complet endet. beendet. abgeschloss termina. "
        "termino. terminan. termine. achev finaliz acab заверш законч",
        "hired": "hire appoint ernann ernenn berufen. nomm nombr назнач",
        "left": "resign quit. quits. steps-down. dismiss fired. sacked. zurucktr zuruckgetr "
        "trennt. trennte. getrennt. trennen. "
        "rucktritt entlass demission licenci dimit dimis destitu увол отставк",
        "found": "found. discover gefunden. entdeck trouv retrouv decouv encontr descubr найден "
        "обнаруж",
        "dead": "dead. death. deaths. died. dies. dying. killed. kills. tot. tote. toten. toter. "
        "gestorben. starb. starben. stirbt. getotet leiche. mort. morts. morte. mortes. meurt. "
        "meurent. mourut. decede deces. tues. muere. mueren. murio murier muert fallec cadaver "
        "погиб умер. умерла. умерли. скончал",
        "northbound": "northbound",
        "southbound": "southbound",
        "eastbound": "eastbound",
        "westbound": "westbound",
        "contained": "contained. extinguish maitris eteint. eteints. circonscrit "
        "geloscht. controlad extinguid потуш локализ",
        "missing": "missing. vermiss disparu desapareci пропа",
    }.items()
}
_STAGES = _stems(
    "plan. plans. planned. planning. consider debat examin investigat studies. studying. intend "
    "want. wants. wanted vote. votes. whether. ready. propos beta. preview. draft. betatest "
    "entwurf. provisional threat seek. seeks. looking. searching. negotiat fears. expect "
    "discuss trying. tries. hopes. "
    "stimmt. ob. planen. pruft. prufen. erwag wollen. droht. drohen. sucht. suchen. verhandel "
    "erwart "
    "etudie. envisag menac cherch negoci veut. veulent. "
    "investiga. estudia. planea. busca. buscan. amenaza. negocia. quiere. quieren. "
    "планир обсужд рассматр рассмотр ищет. ищут. хочет. хотят. ожида готов."
)
"""What is not done yet: when it is no longer said of a matter, the matter has moved on."""
_LACKING = _stems(
    "stop. stops. stopped. drop. drops. dropped. refus reject declin cancel scrap. scrapped. clos "
    "shut. shuts. ban. bans. banned. forbid forbad prohibit halt cease suspend abandon end. ends. "
    "ended. cut. cuts. lack. lacks. fail. fails. failed. unhurt unharmed "
    "prevent withdr withh remov exclud "
    "stopp einstell eingestellt verbiet verbot verweiger abgesagt. absag gestrichen. streich "
    "beend schliess geschlossen. gesperrt. sperrt entfall entfallt fehlt. unverletzt verzicht "
    "arret cess. cesse. cessent. interdi refus annul ferm suspend supprim renonc abandonn manqu "
    "indemne. prohib rechaz niega. cancel cierr cerrad cerro. elimin retir falt. falta. carec "
    "ileso. ilesa. ilesos. ilesas. deja. dejan. dejo. "
    "прекра останов запре отказ отмен закры приостан лиша отсутств снима снял перестал"
)
"""Words with a `not` in them: who refuses does not accept."""
_PHRASES = {
    name: re.compile(rf"\b(?:{listed})\b")
    for name, listed in {
        "cancelled": r"call(?:s|ed)? off|calling off|pull(?:s|ed)? the plug|"
        r"(?:walk|back|pull)(?:s|ed|ing)? (?:away from|out of)|withdr(?:aws?|ew|awn) from|"
        r"sag(?:t|en|ten?)\b.{1,80} ab",
        "postponed": r"put(?:s)? off|push(?:es|ed)? back|slip(?:s|ped)? to",
        "rejected": r"turn(?:s|ed)? down|str(?:ikes?|uck) down|thr(?:ows?|ew|own) out|vot(?:es|ed) "
        r"against|fail(?:s|ed)? in|lehn(?:t|en|ten?)\b.{1,80} ab",
        "approved": r"green light|vot(?:es|ed) for|said yes to|gr[uü]nes licht|feu vert|luz verde",
        "recalled": r"t(?:akes?|ook|aken) (?:\w+ ){1,4}off the (?:market|shelves)|back to the "
        r"workshop|pull(?:s|ed)? (?:\w+ ){1,4}from the (?:market|store|shelves)",
        "left": r"step(?:s|ped)? down|part(?:s|ed)? (?:company|ways)|tritt zur[uü]ck",
        "denied": r"rul(?:e[sd]?|ing) out|schlie(?:ss|ß)(?:t|en)\b.{1,80} aus",
        "resumed": r"sails? again|runs? again|back in service",
    }.items()
}
_SAYING = _stems(
    "said. say. says. according announc report confirm stat. states. stated. statement spokes "
    "official author sources. agency. company. "
    "sagt sagte. teil mitgeteilt laut. zufolge. meldet. melden. bericht erklar angab. angaben. "
    "selon. annonc declar indiqu precis. rapport "
    "segun. dijo. anunci informo. confirm "
    "сообщ заяв объяв словам."
)
_OPPOSITES = frozenset(
    frozenset(pair.split("/"))
    for pair in "opened/closed rose/fell won/lost arrested/freed started/ended approved/rejected "
    "hired/left found/missing cancelled/resumed postponed/resumed halted/resumed halted/approved "
    "halted/started halted/opened closed/freed denied/confirmed created/fell created/cancelled "
    "northbound/southbound eastbound/westbound".split()
)
_TURNS = frozenset(
    "cancelled contained dead denied freed halted left missing postponed recalled rejected "
    "resumed".split()
)
"""What changes a matter that was reported without it."""


def _is(word: str, listed: tuple[tuple[str, ...], frozenset[str]]) -> bool:
    stems, whole = listed
    return word in whole or word.startswith(stems)


def denials(words: frozenset[str]) -> frozenset[str]:
    """Return those of some folded words that say `not`."""
    return frozenset(filter(denies, words))


def denies(word: str) -> bool:
    """Return whether a folded word says `not`; in French it may begin the next word: n'ouvre."""
    return _is(word, _NOT) or word.startswith("n'")


def denied_words(words: Sequence[str]) -> frozenset[str]:
    """Return the folded words that stand right behind one that says `not`."""
    found: set[str] = set()
    for at, word in enumerate(words):
        if denies(word):
            inside = [word[2:]] if word.startswith("n'") else []
            behind = (other for other in words[at + 1 :] if other != _SECOND_HALF)
            found.update(islice(chain(inside, behind), _REACH))
    return frozenset(found)


def denied(words: frozenset[str], text: str) -> bool:
    """Return whether a sentence, given by its folded words and as it is, says that it is not so."""
    if not denials(words):
        return False
    left, bounds = _NO_DENIAL.subn(" ", fold(text))
    return not bounds or bool(denials(frozenset(re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)*", left))))


def lacking(word: str) -> bool:
    """Return whether a folded word says `not` without the word."""
    return _is(word, _LACKING)


def pending(words: frozenset[str]) -> bool:
    """Return whether some folded words tell a plan, a search or a threat rather than a deed."""
    return any(_is(word, _STAGES) for word in words)


def attributes(word: str) -> bool:
    """Return whether a folded word says who said it, rather than what happened."""
    return _is(word, _SAYING)


def states(words: frozenset[str]) -> frozenset[str]:
    """Return what became of a matter by some folded words, such as `opened` or `postponed`."""
    return frozenset(chain.from_iterable(map(_states_of, words)))


@lru_cache(maxsize=8192)
def _states_of(word: str) -> tuple[str, ...]:
    return tuple(name for name, listed in _STATES.items() if _is(word, listed))


def told(text: str) -> frozenset[str]:
    """Return what became of a matter by the phrases of a folded text, such as `called off`."""
    return frozenset(name for name, phrase in _PHRASES.items() if phrase.search(text))


def turned(new: frozenset[str], earlier: frozenset[str]) -> tuple[str, str]:
    """Return how two sets of states contradict: what is said now, and what was; empty if not."""
    came, went = new - earlier, earlier - new
    for now in sorted(came):
        for before in sorted(earlier):  # who was missing is found, and still called missing
            if frozenset((now, before)) in _OPPOSITES:
                return now, before
    if turn := sorted(came & _TURNS):
        return turn[0], min(went) if went else ""
    return "", ""
