import type { Rule, RuleChange, RuleDraft, Severity, Trigger } from "../../wire/rest";

/** What the form says about alerts: "never" means no rule. */
export type RuleChoice = {
  trigger: Trigger | "never";
  severity: Severity;
  recipients: string[];
  quiet_from: string | null;
  quiet_until: string | null;
};

export const NO_RULE: RuleChoice = {
  trigger: "never",
  severity: "warning",
  recipients: [],
  quiet_from: null,
  quiet_until: null,
};
export const USUAL_RULE: RuleChoice = { ...NO_RULE, trigger: "enter_or_exit" };

export type RuleStep =
  | { do: "nothing" }
  | { do: "create"; draft: RuleDraft }
  | { do: "change"; id: number; change: RuleChange }
  | { do: "retire"; id: number };

type Of = { id: number; organisation: number; name: string };

/** The one rule that the form of a geofence changes; of several it can only add another. */
export function ruleToEdit(rules: readonly Rule[]): Rule | null {
  return rules.length === 1 ? (rules[0] ?? null) : null;
}

export function choiceOf(rule: Rule): RuleChoice {
  const { trigger, severity, recipients, quiet_from, quiet_until } = rule;
  return {
    trigger,
    severity,
    recipients,
    quiet_from: toTheMinute(quiet_from),
    quiet_until: toTheMinute(quiet_until),
  };
}

/** A time of day without its seconds, as fields and people write it. */
export function toTheMinute(clock: string | null): string | null {
  return clock?.slice(0, 5) ?? null;
}

/** What saving must do about the rules of a geofence, so that nobody is told twice of the same. */
export function ruleStep(of: Of, rules: readonly Rule[], choice: RuleChoice): RuleStep {
  const edited = ruleToEdit(rules);
  const { trigger, ...settings } = choice;
  if (trigger === "never") return edited ? { do: "retire", id: edited.id } : { do: "nothing" };
  const known = edited ?? rules.find((rule) => tellsTheSame(rule, choice));
  const name = nameOf(of.name, trigger);
  if (!known) {
    const { id: geofence, organisation } = of;
    return {
      do: "create",
      draft: { organisation, geofence, name, trigger, ...settings },
    };
  }
  const isSame =
    tellsTheSame(known, choice) && known.severity === choice.severity && rests(known, choice);
  if (isSame) return { do: "nothing" };
  return { do: "change", id: known.id, change: { trigger, ...settings } };
}

function tellsTheSame(rule: Rule, { trigger, recipients }: RuleChoice): boolean {
  const said = (list: readonly string[]) => [...list].sort().join("\n").toLowerCase();
  return rule.trigger === trigger && said(rule.recipients) === said(recipients);
}

function rests(rule: Rule, { quiet_from, quiet_until }: RuleChoice): boolean {
  const { quiet_from: from, quiet_until: until } = choiceOf(rule);
  return from === quiet_from && until === quiet_until;
}

function nameOf(geofence: string, trigger: Trigger): string {
  return `${geofence}: ${trigger.replaceAll("_", " ")}`;
}
