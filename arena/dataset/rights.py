"""Whether a dataset may be given away: what voters agreed to, and the terms of prompts, answers and the dataset."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from arena.battle import Model, ModelId
from arena.preferences.example import Example


@dataclass(slots=True)
class Rights:
    """What is known of the votes, prompts and models that are in an export. Nothing unknown counts as allowed."""

    consents: Counter[str] = field(default_factory=Counter)
    purposes: Counter[str] = field(default_factory=Counter)
    n_without_consent: int = 0
    n_without_purpose: int = 0
    _versions: set[str] = field(default_factory=set)
    _n_elsewhere: int = 0
    _models: set[ModelId] = field(default_factory=set)
    _prompts: dict[str, str | None] = field(default_factory=dict)

    def note(self, example: Example) -> None:
        """Count an example that is written."""
        self._models.add(example.answer_a.model_id)
        self._models.add(example.answer_b.model_id)
        self._prompts[example.prompt.id] = example.prompt.license
        for opinion in example.opinions:
            if opinion.consent_version is None:
                self.n_without_consent += 1
            else:
                self.consents[opinion.consent_version] += 1
                if opinion.batch is None:  # cast here, and not under terms of elsewhere that have the same version
                    self._versions.add(opinion.consent_version)
                else:
                    self._n_elsewhere += 1
            if opinion.purpose is None:
                self.n_without_purpose += 1
            else:
                self.purposes[opinion.purpose] += 1

    def record(self, models: Mapping[ModelId, Model], licence: str | None, agreed: Mapping[str, str]) -> dict[str, Any]:
        """The same for the manifest. `agreed` has the licence that each version of this arena's consent names.

        Where no licence is given, and all votes were cast here under a consent to one and the same, the dataset has
        that.
        """
        consent_licenses = {each: agreed[each] for each in sorted(self._versions & agreed.keys())}
        n_others = self._n_elsewhere + self.n_without_consent
        if licence is None and self.consents.keys() == consent_licenses.keys() and not n_others:
            licence, *others = {*consent_licenses.values()} or {None}
            licence = None if others else licence
        licences = {each: models[each].license if each in models else None for each in sorted(self._models)}
        return {
            "license": licence,
            "consents": dict(sorted(self.consents.items())),
            "consent_licenses": consent_licenses,
            "purposes": dict(sorted(self.purposes.items())),
            "votes_without_consent": self.n_without_consent,
            "votes_without_purpose": self.n_without_purpose,
            "model_licenses": {each: given for each, given in licences.items() if given is not None},
            "models_without_license": [each for each, given in licences.items() if given is None],
            "prompt_licenses": dict(sorted(Counter(each for each in self._prompts.values() if each).items())),
            "prompts_without_license": sum(each is None for each in self._prompts.values()),
        }


def missing(rights: Mapping[str, Any]) -> list[str]:
    """What a public dataset lacks, each in a few words; from a manifest's record."""
    found = []
    if rights["license"] is None:
        found.append("the dataset has no licence (bakeoff export --dataset-license)")
    for version, agreed in rights.get("consent_licenses", {}).items():
        if rights["license"] is not None and agreed != rights["license"]:
            found.append(
                f"its licence is {rights['license']}, and voters who agreed to version {version} of the consent agreed "
                f"to {agreed}"
            )
    for count, what in (
        (rights["votes_without_consent"], "of the votes do not say what their voters agreed to"),
        (rights["votes_without_purpose"], "of the votes do not say what they may be used for"),
        (rights["prompts_without_license"], "of the prompts have no licence"),
    ):
        if count:
            found.append(f"{count:,} {what}")
    if rights["models_without_license"]:
        found.append(f"no licence of the answers of {_few(rights['models_without_license'])}")
    return found


def _few(names: Iterable[str], shown: int = 5) -> str:
    names = list(names)
    more = "" if len(names) <= shown else f" and {len(names) - shown:,} more"
    return ", ".join(names[:shown]) + more
