"""What may be done with a picture, as addresses others understand: rightsstatements.org and Creative Commons."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_RS, _CC = "http://rightsstatements.org/vocab/", "http://creativecommons.org/"

# https://rightsstatements.org/page/1.0/ and https://creativecommons.org/licenses/, in the order a form offers them.
RIGHTS: dict[str, str | Promise] = {
    f"{_CC}publicdomain/mark/1.0/": _("Public domain"),
    f"{_CC}publicdomain/zero/1.0/": _("CC0: no rights reserved"),
    f"{_CC}licenses/by/4.0/": _("CC BY 4.0"),
    f"{_CC}licenses/by-sa/4.0/": _("CC BY-SA 4.0"),
    f"{_CC}licenses/by-nc/4.0/": _("CC BY-NC 4.0"),
    f"{_CC}licenses/by-nd/4.0/": _("CC BY-ND 4.0"),
    f"{_CC}licenses/by-nc-sa/4.0/": _("CC BY-NC-SA 4.0"),
    f"{_CC}licenses/by-nc-nd/4.0/": _("CC BY-NC-ND 4.0"),
    f"{_RS}NKC/1.0/": _("No known copyright"),
    f"{_RS}NoC-US/1.0/": _("No copyright: United States"),
    f"{_RS}NoC-NC/1.0/": _("No copyright: non-commercial use only"),
    f"{_RS}NoC-CR/1.0/": _("No copyright: contractual restrictions"),
    f"{_RS}NoC-OKLR/1.0/": _("No copyright: other known legal restrictions"),
    f"{_RS}InC/1.0/": _("In copyright"),
    f"{_RS}InC-OW-EU/1.0/": _("In copyright: EU orphan work"),
    f"{_RS}InC-EDU/1.0/": _("In copyright: educational use permitted"),
    f"{_RS}InC-NC/1.0/": _("In copyright: non-commercial use permitted"),
    f"{_RS}InC-RUU/1.0/": _("In copyright: rights-holders cannot be found"),
    f"{_RS}CNE/1.0/": _("Copyright not evaluated"),
    f"{_RS}UND/1.0/": _("Copyright undetermined"),
}


def label_of(value: str) -> str:
    """The words for a rights address; anything else stands for itself."""
    plain = value.strip().replace("https://", "http://", 1).replace("http://www.", "http://", 1)
    return str(RIGHTS.get(plain) or RIGHTS.get(f"{plain}/") or value)
