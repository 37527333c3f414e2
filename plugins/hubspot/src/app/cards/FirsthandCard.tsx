import { useCallback, useEffect, useState } from "react";
import {
  Alert,
  Button,
  Divider,
  Flex,
  LoadingSpinner,
  Statistics,
  StatisticsItem,
  StatusTag,
  Text,
  hubspot,
  useExtensionApi,
} from "@hubspot/ui-extensions";
import { Refused, address, launch, summaryOf } from "./firsthand.ts";
import type { Beginning, OpenEscalation, Summary } from "./firsthand.ts";
import { clock, due, localeOf, money } from "./words.ts";

const WINDOW = { width: 1100, height: 780, title: "Firsthand", flush: true };

hubspot.extend<"crm.record.sidebar">(() => <FirsthandCard />);

/** A company's value at stake and open escalations, with the panel one click away. */
export function FirsthandCard() {
  const { context, actions } = useExtensionApi<"crm.record.sidebar">();
  const { objectId, objectTypeId } = context.crm;
  const at = address(context.variables);
  const [summary, setSummary] = useState<Summary | null>(null);
  const [trouble, setTrouble] = useState<Refused | null>(null);
  const [opening, setOpening] = useState(false);

  const tell = (refused: unknown) =>
    setTrouble(refused instanceof Refused ? refused : new Refused("Something went wrong", String(refused), null));

  const read = useCallback(async () => {
    try {
      setSummary(await summaryOf({ objectId: String(objectId), objectTypeId }, at));
      setTrouble(null);
    } catch (refused) {
      tell(refused);
    }
  }, [objectId, objectTypeId, at]);

  useEffect(() => {
    void read();
  }, [read]);

  /* The address opens the panel once and within a minute, so it is asked for when the button is pressed. */
  const open = async (beginning: Beginning) => {
    setOpening(true);
    try {
      const uri = await launch({ objectId: String(objectId), objectTypeId }, beginning, at);
      setTrouble(null);
      actions.openIframeModal({ ...WINDOW, uri }, () => void read());
    } catch (refused) {
      tell(refused);
    }
    setOpening(false);
  };

  const locale = localeOf(context.user.locale);
  return (
    <Flex direction="column" gap="small">
      {trouble && (
        <Alert title={trouble.title} variant="warning">
          {trouble.message}
        </Alert>
      )}
      {!summary && !trouble && <LoadingSpinner label="Asking Firsthand" showLabel />}
      {!summary && trouble && <Button onClick={read}>Try again</Button>}
      {summary && !summary.account && <Unknown summary={summary} />}
      {summary?.account && (
        <>
          <Figures summary={summary} locale={locale} zone={context.portal.timezone} />
          {summary.open.map((escalation) => (
            <Line key={escalation.id} escalation={escalation} onOpen={() => open({ escalation_id: escalation.id })} />
          ))}
          <Rest summary={summary} />
          <Divider />
          <Flex gap="small" wrap="wrap">
            <Button variant="primary" disabled={opening} onClick={() => open({ page: "raise" })}>
              Raise escalation
            </Button>
            <Button disabled={opening} onClick={() => open({})}>
              Open
            </Button>
          </Flex>
        </>
      )}
    </Flex>
  );
}

function Unknown({ summary }: { summary: Summary }) {
  return (
    <Alert title={summary.message?.title ?? "Firsthand does not know this company"} variant="info">
      {summary.message?.text ?? ""}
    </Alert>
  );
}

function Figures({ summary, locale, zone }: { summary: Summary; locale: string; zone: string }) {
  const late = summary.overdue_count ? `${summary.overdue_count} past its time` : "none past its time";
  return (
    <Statistics>
      <StatisticsItem label="Value at stake" number={money(summary.value_at_stake, locale)}>
        <Text variant="microcopy">{summary.as_of ? `as of ${clock(summary.as_of, locale, zone)}` : ""}</Text>
      </StatisticsItem>
      <StatisticsItem label="Open escalations" number={summary.open_count}>
        <Text variant="microcopy">{summary.open_count ? late : "nothing to do"}</Text>
      </StatisticsItem>
    </Statistics>
  );
}

function Line({ escalation, onOpen }: { escalation: OpenEscalation; onOpen: () => void }) {
  const told = [escalation.owner, escalation.due_at && due(escalation.due_at, Date.now())].filter(Boolean);
  return (
    <Flex direction="column" gap="flush">
      <Button variant="transparent" size="sm" truncate onClick={onOpen}>
        {`${escalation.number} ${escalation.title}`}
      </Button>
      <StatusTag variant={escalation.overdue ? "danger" : "info"}>{escalation.status_text}</StatusTag>
      <Text variant="microcopy">{told.join(" · ")}</Text>
    </Flex>
  );
}

function Rest({ summary }: { summary: Summary }) {
  const more = summary.open_count - summary.open.length;
  return more > 0 ? <Text variant="microcopy">{`and ${more} more in the panel`}</Text> : null;
}
