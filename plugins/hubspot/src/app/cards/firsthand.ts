/** What the card asks Firsthand; HubSpot signs each request and says in it who asks, so the card never does. */
import { hubspot } from "@hubspot/ui-extensions";

export interface Money {
  amount: string | null;
  currency: string;
  incomplete: boolean;
}

export interface OpenEscalation {
  id: string;
  number: string;
  title: string;
  status_text: string;
  owner: string | null;
  due_at: string | null;
  overdue: boolean;
}

export interface Summary {
  account: { id: string; name: string } | null;
  message?: { title: string; text: string } | null;
  value_at_stake: Money | null;
  open_count: number;
  overdue_count: number;
  open: OpenEscalation[];
  as_of?: string;
}

/** The record the card stands on. */
export interface Company {
  objectId: string;
  objectTypeId: string;
}

/** Where the panel begins: at the company, at one of its escalations, or at a new one. */
export type Beginning = { escalation_id: string } | { page: "raise" } | Record<string, never>;

/** Why Firsthand did not answer as asked, in words for the person before the card. */
export class Refused extends Error {
  constructor(
    readonly title: string,
    detail: string,
    readonly code: string | null,
  ) {
    super(detail);
  }
}

const TIMEOUT = 10_000;
const REPLAYED = "replayed";
const UNREACHABLE = new Refused("Firsthand could not be reached", "Try again in a minute.", null);

export function address(variables: Record<string, unknown> | undefined): string {
  return `${variables?.FIRSTHAND_URL}/panel/embed/hubspot/${variables?.FIRSTHAND_INSTALLATION}`;
}

export async function summaryOf(company: Company, at: string): Promise<Summary> {
  return (await post(at, { ...company })) as Summary;
}

/** An address that opens the panel once, within a minute. HubSpot may send a request twice: the second is asked anew. */
export async function launch(company: Company, beginning: Beginning, at: string): Promise<string> {
  const wanted = { ...company, ...beginning };
  const opened = await post(`${at}/launch`, wanted).catch((refused: unknown) => {
    if (refused instanceof Refused && refused.code === REPLAYED) return post(`${at}/launch`, wanted);
    throw refused;
  });
  return (opened as { panel_url: string }).panel_url;
}

async function post(url: string, body: Record<string, unknown>): Promise<unknown> {
  const answer = await hubspot.fetch(url, { method: "POST", timeout: TIMEOUT, body }).catch(() => null);
  const read: unknown = await answer?.json().catch(() => null);
  if (!answer || read === null || typeof read !== "object") throw UNREACHABLE;
  if (!answer.ok) throw refusal(read as Record<string, unknown>);
  return read;
}

function refusal(problem: Record<string, unknown>): Refused {
  if (typeof problem.title !== "string") return UNREACHABLE;
  return new Refused(problem.title, String(problem.detail ?? ""), String(problem.code ?? ""));
}
