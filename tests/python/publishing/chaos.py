"""`make chaos-publish`: readers look at all marts in loops, while builds run, fail, are killed and are rolled back.
No reading may show two publications, a row that failed its test, or nothing.

    python -m publishing.chaos --builds 200
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import psycopg
from psycopg.errors import Error

from journey import services
from journey.embedded import ADMIN, EMBEDDED_DATABASE, use_embedded
from publishing.shop import DAYS, MARTS, Shop

DATABASE = "chaos_publish"
ROWS = {"sales.by_day": DAYS * 40, "sales.in_all": 200, "finance.books": 200}
READER = "chaos_reader"
TRIES = 3  # of a rollback
STATEMENT = "select " + ", ".join(f"(select max(number) from {mart}), (select count(*) from {mart})" for mart in MARTS)


class Chaos:
    """Builds under readers; one rollback for each ten of them.

    Args:
        shop: the project.
        larger: the same with a column more.
        seed: of what happens when.

    Attributes:
        faults: readings that must not be, and errors of readers.
        readings: how many.
        happened: how often what.
        number: that the last build saw.
    """

    def __init__(self, shop: Shop, larger: Shop, seed: int) -> None:
        self.shop, self.larger = shop, larger
        self.random = random.Random(seed)  # noqa: S311 - no secret
        self.faults: list[str] = []
        self.readings, self.happened, self.bad, self.number = 0, Counter[str](), set[int](), 10
        self._over, self._lock = threading.Event(), threading.Lock()

    def run(self, builds: int, readers: int) -> None:
        """Do it.

        Args:
            builds: how many.
            readers: how many at a time.
        """
        self.shop.build(self.number)
        with psycopg.connect(autocommit=True) as connection:
            connection.execute(f"drop role if exists {READER}".encode())
            connection.execute(f"create role {READER} login superuser password 'x'".encode())
            connection.execute(f"alter role {READER} nosuperuser".encode())
            connection.execute(f"grant usage on schema sales, finance, public to {READER}".encode())
            connection.execute(f"grant select on all tables in schema sales, finance to {READER}".encode())
            connection.execute(b"create view public.report as select max(number) as number from sales.by_day")
            connection.execute(f"grant select on public.report to {READER}".encode())
        threads = [threading.Thread(target=self._read, args=(number,)) for number in range(readers)]
        for thread in threads:
            thread.start()
        try:
            for what in self._drawn(builds):
                self.happened[what] += 1
                self._roll_back() if what == "rollback" else self._build(what)
            self._build("good", last=True)
        finally:
            self._over.set()
            for thread in threads:
                thread.join()
            with psycopg.connect(autocommit=True) as connection:
                connection.execute(f"drop owned by {READER}; drop role {READER}".encode())

    def _drawn(self, builds: int) -> list[str]:
        """What happens, in its order: so many builds, and rollbacks by count, not by chance."""
        drawn = self.random.choices(("good", "bad", "killed", "whole"), (5, 2, 2, 1), k=builds)
        drawn += ["rollback"] * max(1, builds // 10)
        self.random.shuffle(drawn)
        return drawn

    def _roll_back(self) -> None:
        """Go back once; where no publication is before the current one, a build makes one."""
        for _ in range(TRIES):
            done = self.shop.journey("publish", "--rollback")
            if done.returncode == 0:
                return
            self._build("good")
        self.faults.append(f"nothing could be rolled back: {done.stdout}{done.stderr}")

    def _build(self, what: str, *, last: bool = False) -> None:
        self.number += 1
        number = self.number
        shop = self.larger if last or number > 13 else self.shop  # a column comes; it may not go again
        if what == "bad":
            self.bad.add(number)
        if what == "killed":
            self._kill(shop, number)
        else:
            shop.build(number, *(["--full-refresh"] if what == "whole" else []), is_bad=what == "bad")
            if what != "bad":
                self._expect(number)

    def _kill(self, shop: Shop, number: int) -> None:
        shop.say(number)
        command = [sys.executable, "-c", "from dbt.cli.main import cli; cli()", "build", "--target", "demo"]
        process = subprocess.Popen(
            command, cwd=shop.folder, env={**os.environ, "DBT_PROFILES_DIR": str(shop.folder)},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        time.sleep(self.random.uniform(3, 9))
        process.send_signal(signal.SIGKILL)
        process.wait()

    def _expect(self, number: int) -> None:
        with psycopg.connect() as connection:
            row = connection.execute(STATEMENT.encode()).fetchone()
        if row is None or set(row[::2]) != {number}:
            self.faults.append(f"after the build of {number}, {row} is shown")

    def _read(self, number: int) -> None:
        """One reader: single statements, or transactions that look at the marts one after the other."""
        try:
            with psycopg.connect(user=READER, password="x", autocommit=True) as connection:
                while not self._over.is_set():
                    if number % 2:
                        row = connection.execute(STATEMENT.encode()).fetchone() or ()
                        self._judge(list(zip(row[::2], row[1::2], strict=True)))
                    else:
                        with connection.transaction():
                            connection.execute(b"set transaction isolation level repeatable read")
                            found = []
                            for mart in MARTS:
                                query = f"select max(number), count(*) from {mart}".encode()
                                found += connection.execute(query).fetchall()
                                time.sleep(0.05)
                            self._judge(found)
                            report = connection.execute(b"select number from public.report").fetchone()
                            if report != (found[0][0],):
                                self.faults.append(f"the view shows {report}, the marts {found}")
        except Error as error:
            self.faults.append(f"reader {number}: {error}")

    def _judge(self, found: list[tuple[int, int]]) -> None:
        with self._lock:
            self.readings += 1
        numbers, counts = {number for number, _ in found}, [count for _, count in found]
        if len(numbers) != 1 or counts != list(ROWS.values()) or numbers & self.bad:
            self.faults.append(f"a reading shows {found}")


def main() -> None:
    """Run it on a database of its own, and say what happened; exit status 1 if a reading was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--builds", type=int, default=200)
    parser.add_argument("--readers", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    services.up()
    use_embedded(ADMIN)
    with psycopg.connect(dbname=EMBEDDED_DATABASE, autocommit=True) as connection:
        connection.execute(f"drop database if exists {DATABASE} with (force)".encode())
        connection.execute(f"create database {DATABASE}".encode())
    os.environ.update(PGDATABASE=DATABASE, DBT_PUBLISHING="tested")
    with tempfile.TemporaryDirectory() as folder:
        shops = Shop.make(Path(folder) / "shop"), Shop.make(Path(folder) / "larger", extra=True)
        chaos = Chaos(*shops, seed=options.seed)
        chaos.run(options.builds, options.readers)
    print(f"seed {options.seed}: {chaos.readings:,} readings during {options.builds} builds: {dict(chaos.happened)}")
    for fault in chaos.faults[:20]:
        print(fault)
    sys.exit(1 if chaos.faults else 0)


if __name__ == "__main__":
    main()
