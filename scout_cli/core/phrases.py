"""What the interview says by itself, in five languages: its questions, and that it is done."""

from __future__ import annotations

from collections.abc import Mapping

from scout_cli.core.words import fold, folded_set, language_of, words

_ENGLISH = {
    "goal": "What should I look out for? One sentence is enough.",
    "location": "Which place is it about? A town will do, or “anywhere”.",
    "frequency": "How often should I look: every hour, every day, every three days or every week?",
    "noted": "Noted: {what}.",
    "complete": "“{title}” is ready: it looks {rhythm}. It rests until you activate it; tell me"
    " whatever should be different.",
    "unclear": "I could not make that out.",
    "gone": "The language model does not answer just now, so I ask the plain way.",
    "anywhere": "anywhere",
}
_GERMAN = {
    "goal": "Wonach soll ich Ausschau halten? Ein Satz genügt.",
    "location": "Um welchen Ort geht es? Eine Stadt genügt, oder „egal“.",
    "frequency": "Wie oft soll ich nachsehen: jede Stunde, jeden Tag, alle drei Tage oder jede"
    " Woche?",
    "noted": "Notiert: {what}.",
    "complete": "„{title}“ ist fertig: Rhythmus {rhythm}. Er ruht, bis du ihn einschaltest; sag,"
    " was anders sein soll.",
    "unclear": "Das habe ich nicht verstanden.",
    "gone": "Das Sprachmodell antwortet gerade nicht, darum frage ich auf die einfache Art.",
    "anywhere": "überall",
}
_FRENCH = {
    "goal": "Que dois-je surveiller ? Une phrase suffit.",
    "location": "De quel endroit s'agit-il ? Une ville suffit, ou « partout ».",
    "frequency": "À quelle fréquence : toutes les heures, tous les jours, tous les trois jours ou"
    " chaque semaine ?",
    "noted": "C'est noté : {what}.",
    "complete": "« {title} » est prêt, rythme {rhythm}. Il attend que vous l'activiez ; dites-moi"
    " ce qui doit changer.",
    "unclear": "Je n'ai pas compris.",
    "gone": "Le modèle de langue ne répond pas pour l'instant ; je pose mes questions autrement.",
    "anywhere": "partout",
}
_SPANISH = {
    "goal": "¿Qué debo vigilar? Basta una frase.",
    "location": "¿De qué lugar se trata? Basta una ciudad, o “cualquier lugar”.",
    "frequency": "¿Cada cuánto miro: cada hora, cada día, cada tres días o cada semana?",
    "noted": "Anotado: {what}.",
    "complete": "“{title}” está listo, ritmo {rhythm}. Descansa hasta que lo actives; dime qué"
    " debe cambiar.",
    "unclear": "No lo he entendido.",
    "gone": "El modelo de lenguaje no responde ahora; pregunto de la manera sencilla.",
    "anywhere": "cualquier lugar",
}
_RUSSIAN = {
    "goal": "За чем мне следить? Достаточно одного предложения.",
    "location": "О каком месте речь? Достаточно города или «неважно где».",
    "frequency": "Как часто смотреть: каждый час, каждый день, раз в три дня или раз в неделю?",
    "noted": "Записано: {what}.",
    "complete": "«{title}» готов, ритм: {rhythm}. Он ждёт, пока вы его включите; скажите, что"
    " изменить.",
    "unclear": "Я не понял.",
    "gone": "Языковая модель сейчас не отвечает, поэтому спрашиваю по-простому.",
    "anywhere": "везде",
}
PHRASES: Mapping[str, Mapping[str, str]] = {
    "en": _ENGLISH,
    "de": _GERMAN,
    "fr": _FRENCH,
    "es": _SPANISH,
    "ru": _RUSSIAN,
}
_RHYTHMS: Mapping[str, tuple[str, str, str, str]] = {
    "en": ("every hour", "every day", "every three days", "every week"),
    "de": ("stündlich", "täglich", "alle drei Tage", "wöchentlich"),
    "fr": ("toutes les heures", "tous les jours", "tous les trois jours", "chaque semaine"),
    "es": ("cada hora", "cada día", "cada tres días", "cada semana"),
    "ru": ("каждый час", "каждый день", "раз в три дня", "раз в неделю"),
}
_TELLING = {
    "en": folded_set("every week weekly day daily hour month about news near anywhere tell watch"),
    "de": folded_set(
        "jede jeden woche wöchentlich tag täglich stunde stündlich monat neues neue nachrichten "
        "nähe egal überall konzerte konzert wohnung wohnungen wetter veranstaltungen angebote"
    ),
    "fr": folded_set(
        "chaque tous toutes jours semaine jour heure mois nouvelles partout près météo événements"
    ),
    "es": folded_set(
        "cada todos todas semana día días hora mes noticias cerca cualquier conciertos eventos"
    ),
}
"""Words of short messages that have no small ones."""
_NAMES = ("hourly", "daily", "every_3_days", "weekly")


def spoken(*texts: str) -> str:
    """Return the language of a conversation, `en` when the texts do not tell; first text first."""
    return next((tag for text in texts if (tag := _language(text))), "en")


def _language(text: str) -> str:
    if any("\u0400" <= char <= "\u04ff" for char in text):
        return "ru"
    told = {fold(word) for word in words(text[:4_000])}
    counts = {tag: len(told & telling) for tag, telling in _TELLING.items()}
    best = max(counts, key=counts.__getitem__)
    if counts[best] and list(counts.values()).count(counts[best]) == 1:
        return best
    return language_of(text)


def phrase(name: str, language: str, **slots: str) -> str:
    """Return a sentence in a language of `PHRASES`."""
    return PHRASES[language][name].format(**slots)


def rhythm_in(language: str, schedule: str) -> str:
    """Return a rhythm in words; a cron line stays one."""
    if schedule not in _NAMES:
        return f"cron {schedule}"
    return _RHYTHMS[language][_NAMES.index(schedule)]
