import { describe, expect, it } from "vitest";
import type { Rule } from "../../wire/rest";
import { NO_RULE, type RuleChoice, ruleStep } from "./rule_steps";

const depot = { id: 7, organisation: 1, name: "Depot" };
const rule: Rule = {
  id: 3,
  organisation: 1,
  name: "Depot: enter",
  trigger: "enter",
  geofence: 7,
  severity: "warning",
  recipients: ["a@example.com", "b@example.com"],
  quiet_from: "22:00:00",
  quiet_until: "06:00:00",
  time_zone: "Europe/Berlin",
};
const choice: RuleChoice = {
  trigger: "enter",
  severity: "warning",
  recipients: rule.recipients,
  quiet_from: "22:00",
  quiet_until: "06:00",
};
const other: Rule = { ...rule, id: 4, trigger: "exit" };

describe("the rule of a geofence", () => {
  it("is made where there was none", () => {
    const draft = { organisation: 1, geofence: 7, name: "Depot: enter", ...choice };
    expect(ruleStep(depot, [], choice)).toEqual({ do: "create", draft });
  });

  it("is left alone when nothing about it changed", () => {
    expect(ruleStep(depot, [rule], choice)).toEqual({ do: "nothing" });
    expect(ruleStep(depot, [], NO_RULE)).toEqual({ do: "nothing" });
  });

  it("is changed, not doubled", () => {
    const change = { ...choice, trigger: "exit" as const };
    expect(ruleStep(depot, [rule], change)).toEqual({ do: "change", id: 3, change });
  });

  it("is changed when it is to be quiet at other hours, or at none", () => {
    const later = { ...choice, quiet_from: "23:00" };
    expect(ruleStep(depot, [rule], later)).toEqual({ do: "change", id: 3, change: later });
    const never = { ...choice, quiet_from: null, quiet_until: null };
    expect(ruleStep(depot, [rule], never)).toEqual({ do: "change", id: 3, change: never });
  });

  it("is retired when nobody is to be told", () => {
    expect(ruleStep(depot, [rule], NO_RULE)).toEqual({ do: "retire", id: 3 });
  });

  it("of several: the same one is not made again, whatever the order of recipients", () => {
    const turned = { ...choice, recipients: [...choice.recipients].reverse() };
    expect(ruleStep(depot, [rule, other], turned)).toEqual({ do: "nothing" });
    expect(ruleStep(depot, [rule, other], { ...turned, severity: "critical" }).do).toBe("change");
    expect(ruleStep(depot, [rule, other], { ...turned, recipients: [] }).do).toBe("create");
  });

  it("of several: none is retired by adding none", () => {
    expect(ruleStep(depot, [rule, other], NO_RULE)).toEqual({ do: "nothing" });
  });
});
