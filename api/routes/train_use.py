"""What a trainset ran: train-km, the km of each car, doors, energy, compressor, and distance between failures."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from api import examples
from api.documents import answer
from api.keys import Insider
from api.listing import json_response
from api.parameters import AssetId, DatedQuery, SpanQuery
from api.problem import Problem, invalid
from api.routes.assets import asset_row, now_us
from api.shapes import CarUseShape, TrainUseShape
from fleet import trainset
from fleet.instants import DAY_US, SECOND_US, to_datetime, to_rfc3339
from fleet.practice_book import HOUSE
from fleet.train_use import (
    IN_SERVICE,
    Membership,
    car_km,
    compressor_duty,
    cycles_per_leaf,
    energy_per_car_km,
    mdbf,
    net_energy_kwh,
)
from fleet.use import BILLABLE_COVERAGE, Activity, Used, UseDay, clipped, used
from store import train_uses, uses
from store.lifecycle import Told

router = APIRouter(prefix="/v1", tags=["assets"])
DAYS_MAX = 3_660  # of one answer; chosen: ten years
METHOD = "odometer; cars by their dated installation"


@router.get(
    "/assets/{asset_id}/train-use", responses=answer(TrainUseShape, examples.TRAIN_USE, 200, 404), response_model=None
)  # fmt: skip
async def get_train_use(asker: Insider, asset_id: AssetId, span: SpanQuery, dated: DatedQuery) -> Response:
    """What a trainset ran in [from, to), and each of its cars in it; open bounds are its first use and now."""
    async with asker.desk() as conn:
        row = await asset_row(conn, asset_id, dated)
        if row["class"] != trainset.NAME:
            raise Problem(404, "Only a trainset has these figures.", reason="not_of_class")
        told = Told(str(asset_id), now_us() if dated.at_us is None else dated.at_us, dated.known_us)
        to_us = told.at_us if span.to_us is None else min(span.to_us, told.at_us)
        from_us = await uses.first_use_us(conn, told.asset_id) if span.from_us is None else span.from_us
        if from_us is None or from_us >= to_us:
            raise invalid("query", "from", "leaves no time before `to`, or nothing is known yet")
        if to_us - from_us > DAYS_MAX * DAY_US:
            raise invalid("query", "from", f"lies more than {DAYS_MAX} days before `to`")
        cars = await train_uses.cars(conn, told, from_us, to_us)
        bounds = [each[side] for each in cars for side in ("valid_from", "valid_to") if each[side] is not None]
        cuts = [bound for bound in bounds if from_us < bound < to_us]
        days, activities = await train_uses.use_between(conn, told, from_us, to_us, cuts)
    memberships = [
        Membership(str(each["asset_id"]), from_us if each["valid_from"] is None else each["valid_from"], each["valid_to"])
        for each in cars
    ]
    by_car = car_km(_stretches(days, activities, from_us, to_us), memberships)
    leaves = row["particulars"].get("door_leaves")
    names = {str(each["asset_id"]): (each["name"], each["position"]) for each in cars}
    items = [CarUseShape(asset_id=car, name=names[car][0], position=names[car][1], car_km=km) for car, km in by_car.items()]
    return json_response(_shape(str(asset_id), used(days, activities, from_us, to_us), items, leaves))


def _stretches(days: list[UseDay], activities: list[Activity], from_us: int, to_us: int) -> list[tuple[int, int, float]]:
    """(from, to, train-km) of whole days and of what is left of the others; a day is never cut by a car that changed."""
    found = [(day.day_us, day.day_us + DAY_US, day.figures.get("train_km", 0.0)) for day in days]
    for activity in activities:
        part = clipped(activity, from_us, to_us)
        if part is not None:
            found.append((part.from_us, part.to_us, part.figures.get("train_km", 0.0)))
    return found


def _shape(asset_id: str, total: Used, cars: list[CarUseShape], leaves: object) -> TrainUseShape:
    """The figures of a period as the API shows them; what cannot be said is null with a reason."""
    figures = total.figures
    train_km, run_car_km = figures.get("train_km", 0.0), sum(car.car_km for car in cars)
    energy_kwh = net_energy_kwh(figures)
    in_service_s = sum(total.states_us.get(state, 0) for state in IN_SERVICE) / SECOND_US
    doors, failures = figures.get("door_cycles"), figures.get("chargeable_failures")
    counted_leaves = leaves if isinstance(leaves, int) and not isinstance(leaves, bool) and leaves > 0 else None
    between = None if failures is None or not cars else mdbf(run_car_km, round(failures))
    duty = compressor_duty(figures["compressor_on_s"], in_service_s) if "compressor_on_s" in figures else None
    reason: dict[str, str] = {}
    if not cars:
        reason |= dict.fromkeys(("car_km", "kwh_per_car_km", "mdbf_car_km", "mdbf_at_least_car_km"), "no_cars_installed")
    for name, value in (("energy_kwh", energy_kwh), ("door_cycles", doors), ("compressor_duty", duty), ("failures", failures)):
        if value is None:
            reason[name] = "not_reported"
    per_leaf = None if doors is None or counted_leaves is None else cycles_per_leaf(doors, counted_leaves)
    per_car_km = None if energy_kwh is None else energy_per_car_km(energy_kwh, run_car_km)
    if per_leaf is None:
        reason["door_cycles_per_leaf"] = "not_reported" if doors is None else "no_door_leaves"
    if per_car_km is None:
        reason.setdefault("kwh_per_car_km", "not_reported" if energy_kwh is None else "nothing_run")
    if between is None or between.mean_car_km is None:
        reason.setdefault("mdbf_car_km", "not_reported" if between is None else "no_failures")
    if between is None:
        reason.setdefault("mdbf_at_least_car_km", "not_reported")
    coverage = total.coverage
    return TrainUseShape(
        asset_id=asset_id, period_from=to_rfc3339(total.from_us), period_to=to_rfc3339(total.to_us), train_km=train_km,
        car_km=run_car_km if cars else None, cars=cars, in_service_h=in_service_s / 3600.0, door_cycles=doors,
        door_cycles_per_leaf=per_leaf, energy_kwh=energy_kwh, kwh_per_car_km=per_car_km, compressor_duty=duty, failures=failures,
        mdbf_car_km=None if between is None else between.mean_car_km,
        mdbf_at_least_car_km=None if between is None else between.at_least_car_km, coverage=coverage,
        is_estimate=coverage < HOUSE.number(BILLABLE_COVERAGE, to_datetime(total.from_us).date()), method=METHOD,
        sources=total.source_shares(), reason=reason,
    )  # fmt: skip
