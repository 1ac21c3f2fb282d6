import { NativeSelect, SegmentedControl, TagsInput, TextInput } from "@mantine/core";
import type { Severity } from "../../wire/rest";
import type { FieldErrors } from "../refusals";
import type { RuleChoice } from "./rule_steps";

const TRIGGERS: { value: RuleChoice["trigger"]; label: string }[] = [
  { value: "enter_or_exit", label: "when an asset enters or leaves" },
  { value: "pass", label: "when an asset passes through" },
  { value: "enter", label: "when an asset enters" },
  { value: "exit", label: "when an asset leaves" },
  { value: "never", label: "never: only keep the crossings" },
];
const SEVERITIES: { value: Severity; label: string }[] = [
  { value: "info", label: "Info" },
  { value: "warning", label: "Warning" },
  { value: "critical", label: "Critical" },
];

type Props = {
  choice: RuleChoice;
  onChange: (choice: RuleChoice) => void;
  errors: FieldErrors;
  /** Of the rule that is changed; empty for a new one. */
  zone: string;
  /** Rules that this form leaves as they are. */
  others: number;
};

type Clock = "quiet_from" | "quiet_until";

function QuietHours({ choice, onChange, errors, zone }: Omit<Props, "others">) {
  const field = (name: Clock, label: string) => (
    <TextInput
      type="time"
      label={label}
      value={choice[name] ?? ""}
      error={errors[name]}
      onChange={(event) => onChange({ ...choice, [name]: event.currentTarget.value || null })}
    />
  );
  return (
    <div>
      <div className="numbers">
        {field("quiet_from", "Quiet from")}
        {field("quiet_until", "Quiet until")}
      </div>
      <p className="field-hint">
        By the clock of {zone || "the organisation's time zone"}, what happens in these hours raises
        no alert.
      </p>
    </div>
  );
}

/** Who is told, and when: becomes a rule of the geofence. */
export function RuleFields({ choice, onChange, errors, zone, others }: Props) {
  const set = (part: Partial<RuleChoice>) => onChange({ ...choice, ...part });
  return (
    <fieldset className="form-part">
      <legend>{others > 0 ? "Another alert" : "Alert"}</legend>
      {others > 0 && (
        <p className="nothing">{others} rules stay as they are. Here you can add one.</p>
      )}
      <NativeSelect
        label="Raise an alert"
        data={TRIGGERS}
        value={choice.trigger}
        error={errors.trigger}
        onChange={(event) => set({ trigger: event.currentTarget.value as RuleChoice["trigger"] })}
      />
      {choice.trigger !== "never" && (
        <>
          <SegmentedControl
            fullWidth
            aria-label="Severity"
            data={SEVERITIES}
            value={choice.severity}
            onChange={(severity) => set({ severity: severity as Severity })}
          />
          <TagsInput
            label="Tell by e-mail"
            description="Press Enter after each address. Everyone sees it in the console anyway."
            value={choice.recipients}
            error={errors.recipients}
            onChange={(recipients) => set({ recipients })}
            splitChars={[",", " ", ";"]}
            acceptValueOnBlur
            placeholder={choice.recipients.length === 0 ? "e.g. night-desk@example.com" : ""}
          />
          <QuietHours choice={choice} onChange={onChange} errors={errors} zone={zone} />
        </>
      )}
    </fieldset>
  );
}
