"""Datasets on the Hugging Face Hub: the only file that calls its repositories."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from arena.dataset.folder import check_files, files_of, read_manifest
from arena.dataset.rights import missing
from arena.errors import BadInput, HubFailed

# What an earlier version of the same dataset may have left in the repository. Files that are sent are not removed.
_OURS = ("*/*-of-*.parquet", "replaced.jsonl")


@dataclass(frozen=True, slots=True)
class Push:
    """An export that may go to the Hub, as it was checked. files has the size of each in bytes."""

    folder: Path
    repo: str
    is_public: bool
    files: Mapping[str, int]
    missing: tuple[str, ...]
    message: str

    @classmethod
    def of(cls, folder: Path, repo: str, *, is_public: bool) -> Self:
        """Check a folder: whole, as it was exported; for a public dataset, all rights known. Raises BadInput."""
        organization, _, name = repo.partition("/")
        if not organization or not name or "/" in name:
            raise BadInput(f"{repo!r} is no dataset of the Hub; name it as ORGANIZATION/NAME")
        manifest = read_manifest(folder)
        check_files(folder, manifest)
        lacks = tuple(missing(manifest["rights"]))
        if is_public and lacks:
            raise BadInput(f"this dataset cannot be public: {'; '.join(lacks)}. It can be pushed as private")
        files = {each: (folder / each).stat().st_size for each in files_of(folder)}
        mark = manifest["watermark"]
        message = f"{manifest['n_votes']:,} votes, up to act {mark['n_log']:,} of the log"
        return cls(folder, repo, is_public, files, lacks, message)

    def send(self, *, endpoint: str, token: str) -> str:
        """Make the dataset where it is missing, and send all files in one commit. Returns the commit's address.

        A dataset that is there keeps its visibility: a public one takes nothing that is meant to be private. Raises
        BadInput for that, HubFailed where the Hub does not take it; then nothing was committed.
        """
        from huggingface_hub import HfApi  # noqa: PLC0415 - slow to load, and needed for this alone
        from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError  # noqa: PLC0415
        from huggingface_hub.utils import httpx  # noqa: PLC0415

        api = HfApi(endpoint=endpoint, token=token)
        try:
            try:
                is_private = bool(api.repo_info(self.repo, repo_type="dataset").private)
            except RepositoryNotFoundError:
                api.create_repo(self.repo, repo_type="dataset", private=not self.is_public)
                is_private = not self.is_public
            if is_private is self.is_public:
                there, meant = ("private", "public") if is_private else ("public", "private")
                raise BadInput(
                    f"{self.repo} is {there}, and this is to be {meant}. Change it on the Hub, or name another"
                )
            commit = api.upload_folder(
                repo_id=self.repo,
                repo_type="dataset",
                folder_path=self.folder,
                commit_message=self.message,
                allow_patterns=[*self.files],
                delete_patterns=[*_OURS],
            )
        except HfHubHTTPError as error:
            status = "" if error.response is None else f" ({error.response.status_code})"
            said = error.server_message or "it did not say why"
            raise HubFailed(f"{endpoint} did not take {self.repo}{status}: {said}. Nothing was committed") from error
        except httpx.HTTPError as error:
            raise HubFailed(f"{endpoint} cannot be reached: {error}. Nothing was committed") from error
        return str(commit.commit_url)
