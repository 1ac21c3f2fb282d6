import type { Rule, RuleChange, RuleDraft, Severity, Trigger } from "../../wire/rest";

/** What the form says about alerts: "never" means no rule. */
export type RuleChoice = { trigger: Trigger | "never"; severity: Severity; recipients: string[] };

export const NO_RULE: RuleChoice = { trigger: "never", severity: "warning", recipients: [] };
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
  const { trigger, severity, recipients } = rule;
  return { trigger, severity, recipients };
}

/** What saving must do about the rules of a geofence, so that nobody is told twice of the same. */
export function ruleStep(of: Of, rules: readonly Rule[], choice: RuleChoice): RuleStep {
  const edited = ruleToEdit(rules);
  const { trigger, severity, recipients } = choice;
  if (trigger === "never") return edited ? { do: "retire", id: edited.id } : { do: "nothing" };
  const known = edited ?? rules.find((rule) => tellsTheSame(rule, choice));
  const name = nameOf(of.name, trigger);
  if (!known) {
    const { id: geofence, organisation } = of;
    return {
      do: "create",
      draft: { organisation, geofence, name, trigger, severity, recipients },
    };
  }
  const isSame = tellsTheSame(known, choice) && known.severity === severity;
  if (isSame) return { do: "nothing" };
  return { do: "change", id: known.id, change: { trigger, severity, recipients } };
}

function tellsTheSame(rule: Rule, { trigger, recipients }: RuleChoice): boolean {
  const said = (list: readonly string[]) => [...list].sort().join("\n").toLowerCase();
  return rule.trigger === trigger && said(rule.recipients) === said(recipients);
}

function nameOf(geofence: string, trigger: Trigger): string {
  return `${geofence}: ${trigger.replaceAll("_", " ")}`;
}
