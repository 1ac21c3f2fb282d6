import { Button, Group, NativeSelect, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { GEOFENCE_COLOURS } from "../../fleet/look";
import type { Geofence, GeofenceChange, GeofenceDraft, Rule } from "../../wire/rest";
import { Loading } from "../assets/asset_panel";
import { useCanOperate, usePorts } from "../context";
import type { Backend } from "../ports";
import { type FieldErrors, fieldErrors } from "../refusals";
import { ColourField } from "./colour_field";
import { useRules } from "./queries";
import { RuleFields } from "./rule_fields";
import { choiceOf, NO_RULE, type RuleStep, ruleStep, ruleToEdit, USUAL_RULE } from "./rule_steps";
import { ShapeFields } from "./shape_fields";
import { draftOf, EMPTY_SHAPE, parsed } from "./shapes";

const FIELDS = [
  "name",
  "colour",
  "shape",
  "organisation",
  "trigger",
  "severity",
  "recipients",
  "quiet_from",
  "quiet_until",
];

function useForm(geofence: Geofence | null, rules: readonly Rule[]) {
  const { organisations } = usePorts().boot;
  const [name, setName] = useState(geofence?.name ?? "");
  const [colour, setColour] = useState(geofence?.colour || GEOFENCE_COLOURS[0] || "");
  const [organisation, setOrganisation] = useState(
    geofence?.organisation ?? organisations.find(({ role }) => role !== "viewer")?.id ?? 0,
  );
  // A shape that the fields cannot hold without loss is kept as it is.
  const kept = geofence && draftOf(geofence.shape) === null ? geofence.shape : null;
  const [shape, setShape] = useState((geofence && draftOf(geofence.shape)) ?? EMPTY_SHAPE);
  const edited = ruleToEdit(rules);
  const usual = geofence ? NO_RULE : USUAL_RULE;
  const [rule, setRule] = useState(edited ? choiceOf(edited) : usual);
  return {
    name,
    setName,
    colour,
    setColour,
    organisation,
    setOrganisation,
    kept,
    shape,
    setShape,
    rule,
    setRule,
  };
}

type Form = ReturnType<typeof useForm>;

/** Saves the geofence, then its rule. A refused rule does not save the geofence twice. */
function useSave(form: Form, geofence: Geofence | null, rules: readonly Rule[]) {
  const { backend } = usePorts();
  const client = useQueryClient();
  const saved = useRef<Geofence | null>(geofence);
  return useMutation({
    mutationFn: async (): Promise<Geofence> => {
      const result = parsed(form.shape);
      const shape = form.kept ?? ("shape" in result ? result.shape : null);
      if (!shape) throw new Error("the form was sent without a shape");
      const { organisation, colour } = form;
      const draft = { organisation, name: form.name.trim(), colour, shape };
      saved.current = saved.current
        ? await backend.changeGeofence(saved.current.id, changed(saved.current, draft))
        : await backend.createGeofence(draft);
      await take(backend, ruleStep(saved.current, rules, form.rule));
      return saved.current;
    },
    onSettled: () => {
      void client.invalidateQueries({ queryKey: ["geofences"] });
      void client.invalidateQueries({ queryKey: ["rules"] });
    },
  });
}

function take(backend: Backend, step: RuleStep): Promise<unknown> {
  switch (step.do) {
    case "nothing":
      return Promise.resolve();
    case "create":
      return backend.createRule(step.draft);
    case "change":
      return backend.changeRule(step.id, step.change);
    case "retire":
      return backend.retireRule(step.id);
    default:
      return step satisfies never;
  }
}

function changed(saved: Geofence, { name, colour, shape }: GeofenceDraft): GeofenceChange {
  const isSameShape = JSON.stringify(saved.shape) === JSON.stringify(shape);
  return isSameShape ? { name, colour } : { name, colour, shape };
}

function missing(form: Form): FieldErrors {
  const errors: FieldErrors = {};
  if (form.name.trim() === "") errors.name = "Give it a name.";
  const result = parsed(form.shape);
  if (!form.kept && "error" in result) errors.shape = result.error;
  const { trigger, quiet_from, quiet_until } = form.rule;
  if (trigger !== "never" && (quiet_from === null) !== (quiet_until === null))
    errors[quiet_from === null ? "quiet_from" : "quiet_until"] = "Give both times, or none.";
  return errors;
}

/** Takes who sent the form to the first thing that is wrong with it, however far up that is. */
function useWayToWrong(attempts: number, refusal: unknown) {
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (attempts === 0 && !refusal) return;
    const field = form.current?.querySelector<HTMLElement>("[aria-invalid=true]");
    if (field) field.focus();
    else form.current?.querySelector(".refused")?.scrollIntoView({ block: "center" });
  }, [attempts, refusal]);
  return form;
}

function OrganisationField({ form, error }: { form: Form; error: string | undefined }) {
  const { organisations } = usePorts().boot;
  if (organisations.length < 2) return null;
  const data = organisations.map(({ id, name }) => ({ value: String(id), label: name }));
  return (
    <NativeSelect
      label="Organisation"
      data={data}
      value={String(form.organisation)}
      error={error}
      onChange={(event) => form.setOrganisation(Number(event.currentTarget.value))}
    />
  );
}

/** The form, once it is known what rules the geofence has. */
export function GeofenceForm({ geofence }: { geofence: Geofence | null }) {
  const { data, isError } = useRules();
  const canOperate = useCanOperate(geofence?.organisation);
  if (!canOperate)
    return <p className="nothing">Only an operator or owner may change geofences.</p>;
  if (!geofence) return <Form geofence={null} rules={[]} />;
  if (isError) return <p className="refused">The alerts of this geofence could not be loaded.</p>;
  if (!data) return <Loading rows={4} />;
  return <Form geofence={geofence} rules={data.filter((rule) => rule.geofence === geofence.id)} />;
}

function Form({ geofence, rules: current }: { geofence: Geofence | null; rules: Rule[] }) {
  // What the form was filled with decides what saving changes, whatever arrives meanwhile.
  const [rules] = useState(current);
  const navigate = useNavigate();
  const form = useForm(geofence, rules);
  const save = useSave(form, geofence, rules);
  const [attempts, setAttempts] = useState(0);
  const element = useWayToWrong(attempts, save.error);
  const wrong = missing(form);
  const errors = { ...fieldErrors(save.error, FIELDS), ...(attempts > 0 ? wrong : {}) };

  const submit = (event: FormEvent) => {
    event.preventDefault();
    setAttempts(attempts + 1);
    if (Object.keys(wrong).length > 0) return;
    save.mutate(undefined, {
      onSuccess: ({ id }) => void navigate({ to: "/geofences/$id", params: { id } }),
    });
  };
  const leave = () =>
    void (geofence
      ? navigate({ to: "/geofences/$id", params: { id: geofence.id } })
      : navigate({ to: "/geofences" }));

  return (
    <form ref={element} className="form" onSubmit={submit} noValidate>
      <h2>{geofence ? "Change geofence" : "New geofence"}</h2>
      {errors[""] && (
        <p className="refused" role="alert">
          {errors[""]}
        </p>
      )}
      <TextInput
        label="Name"
        required
        value={form.name}
        error={errors.name}
        onChange={(event) => form.setName(event.currentTarget.value)}
        maxLength={200}
        placeholder="e.g. Depot North"
      />
      {!geofence && <OrganisationField form={form} error={errors.organisation} />}
      <ColourField value={form.colour} onChange={form.setColour} error={errors.colour} />
      {form.kept ? (
        <p className="nothing">The shape has several parts and is kept as it is.</p>
      ) : (
        <ShapeFields draft={form.shape} onChange={form.setShape} error={errors.shape} />
      )}
      <RuleFields
        choice={form.rule}
        onChange={form.setRule}
        errors={errors}
        zone={ruleToEdit(rules)?.time_zone ?? ""}
        others={rules.length > 1 ? rules.length : 0}
      />
      <Group className="form-end">
        <Button type="submit" loading={save.isPending}>
          Save
        </Button>
        <Button variant="default" onClick={leave}>
          Cancel
        </Button>
      </Group>
    </form>
  );
}
