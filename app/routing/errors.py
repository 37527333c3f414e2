"""What can go wrong in routing."""

from app.errors import Conflict, Invalid, NotFound, Stale


class NoDutyOwner(Conflict):
    """There is nobody at all who could own the case: a raise before any user exists."""

    code, title = "no_duty_owner", "Nobody can own this: name a duty owner first"


class PolicyRefused(Invalid):
    """A policy that can't be saved; every fault has its own pointer and code."""

    code, title = "policy_refused", "The policy has faults"


class PolicyOutdated(Conflict):
    """A version that names a user, team or skill which has gone since it was saved; each with its pointer and code."""

    code, title = "policy_outdated", "The version names what is not there any more"


class PolicyMoved(Stale):
    """Somebody saved another version since it was read; both can be read, and nothing is lost."""


class SimulationRunning(Conflict):
    """One at a time; `simulation_id` names the other."""

    code, title = "simulation_running", "A simulation is running already"


class SimulationOver(Conflict):
    code, title = "simulation_over", "This simulation has ended"


class SimulationNeeded(Conflict):
    """Too many cases to look at while you wait: simulate the version first."""

    code, title = "simulation_needed", "Simulate this version first"


class Unrouted(Conflict):
    """Cases of the last 90 days would find no owner by this version; `unrouted` says how many, `cases` the first."""

    code, title = "unrouted", "Cases would find no owner by this version"


class TeamNameTaken(Conflict):
    code, title = "team_name_taken", "Another team has this name"


class NoSuchTeam(NotFound):
    code, title = "not_found", "There is no such team"


class OwnerNotAllowed(Conflict):
    """A person named by hand who can't own the case: gone, or the one it is about."""

    code, title = "owner_not_allowed", "This person can't own the case"


class NoSuchAbsence(NotFound):
    code, title = "not_found", "There is no such absence"


class AbsencesOverlap(Conflict):
    """A person is away once at a time; `absence_id` names the other one."""

    code, title = "absences_overlap", "The person is away at that time already"


class AbsenceOver(Conflict):
    code, title = "absence_over", "This absence is over"


class NoSuchSkill(NotFound):
    code, title = "not_found", "There is no such skill"


class SkillNameTaken(Conflict):
    code, title = "skill_name_taken", "Another skill has this name"


class SkillInUse(Conflict):
    """Rules name skills: a rule whose skill is gone or renamed would find nobody. `rules` lists them."""

    code, title = "skill_in_use", "The routing policy in force names this skill"


class ExtraMissing(Conflict):
    """Learning needs libraries that this installation left out."""

    code, title = "extra_missing", "Learning from history is not installed here"
