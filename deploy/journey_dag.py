"""An Airflow DAG: load, build, freshness, watch, each night, as deploy/nightly does it.

Copy it into Airflow's folder of DAGs. The worker has the project in /srv/journey with its .venv; connections' variables
(PGHOST, PGPASSFILE, AWS_… as in deploy/journey.env.example) stand in /etc/journey.env.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow import DAG
from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.operators.empty import EmptyOperator

BEGIN = "set -a; . /etc/journey.env; set +a; cd /srv/journey; export PATH=$PWD/.venv/bin:$PATH DBT_PROFILES_DIR=$PWD; "

with DAG(
    "journey",
    schedule="30 3 * * *",
    start_date=datetime(2026, 1, 1),
    catchup=False,  # a load takes whatever is there: a night that was missed needs no run of its own
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=10)},  # running again loads nothing twice
) as dag:
    load = BashOperator(task_id="load", bash_command=BEGIN + "PGUSER=$LOAD_PGUSER journey load --log-format json")
    build = BashOperator(
        task_id="build",
        bash_command=BEGIN + "PGUSER=$BUILD_PGUSER journey build --target prod --wait 3600",
        trigger_rule="all_done",  # a file that failed doesn't keep the others from being built
    )
    freshness = BashOperator(
        task_id="freshness",
        bash_command=BEGIN  # dbt calls it an error if no feed says how old it may be
        + "if grep -rq --include='*.yml' 'freshness:' models; "
        + "then PGUSER=$BUILD_PGUSER dbt --quiet source freshness --target prod; fi",
    )
    watch = BashOperator(
        task_id="watch",
        bash_command=BEGIN + "PGUSER=$BUILD_PGUSER journey watch --target prod --json",
        retries=0,  # it would post its alerts again
    )
    # a run is what its last tasks are: it has failed, too, if a file did and the build went well
    all_is_well = EmptyOperator(task_id="all_is_well")
    load >> build >> [freshness, watch]
    [load, freshness, watch] >> all_is_well
