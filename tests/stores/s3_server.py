"""A real S3 server over HTTP: moto, in a process of its own, that checks keys and signatures."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

BUCKET = "results"
_EVERYTHING = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
_REQUESTS_WITHOUT_KEY = 4
"""Those that make user, permission, key and bucket."""


@dataclass(frozen=True)
class S3Server:
    """Where it listens, and the one key that it knows."""

    url: str
    key_id: str
    secret: str

    @property
    def profile(self) -> dict[str, str]:
        """The key, as a store file may hold it."""
        return {"aws_access_key_id": self.key_id, "aws_secret_access_key": self.secret}

    def client(self, service: str = "s3") -> Any:
        return boto3.client(service, endpoint_url=self.url, region_name="us-east-1", **self.profile)

    def objects(self) -> dict[str, int]:
        """Names and sizes of what is in the bucket."""
        found = self.client().list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return {one["Key"]: one["Size"] for one in found}

    def empty(self) -> None:
        """Remove what a test has left in the bucket."""
        for name in self.objects():
            self.client().delete_object(Bucket=BUCKET, Key=name)


@contextmanager
def s3_server(folder: Path) -> Iterator[S3Server]:
    """Start the server, with a user and an empty bucket; it ends with the `with` block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-p", str(port)]
    environment = os.environ | {"INITIAL_NO_AUTH_ACTION_COUNT": str(_REQUESTS_WITHOUT_KEY)}
    with (folder / "s3.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    try:
        _wait(port, process)
        yield _set_up(S3Server(f"http://127.0.0.1:{port}", "anybody", "anything"))
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait(port: int, process: subprocess.Popen[bytes], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert process.poll() is None, "the S3 server has ended"
            assert time.monotonic() < deadline, "the S3 server does not listen"
            time.sleep(0.1)
        else:
            return


def _set_up(server: S3Server) -> S3Server:
    users = server.client("iam")
    users.create_user(UserName="user")
    policy = json.dumps({"Version": "2012-10-17", "Statement": [_EVERYTHING]})
    users.put_user_policy(UserName="user", PolicyName="all", PolicyDocument=policy)
    key = users.create_access_key(UserName="user")["AccessKey"]
    server.client().create_bucket(Bucket=BUCKET)
    return S3Server(server.url, key["AccessKeyId"], key["SecretAccessKey"])
