import { GEOFENCE_COLOURS } from "../../fleet/look";

const NAMES = ["Teal", "Violet", "Amber", "Pink", "Blue", "Green"];

type Props = { value: string; onChange: (colour: string) => void; error: string | undefined };

/** A colour that came from elsewhere stays on offer. */
function offered(value: string): string[] {
  const isUsual = GEOFENCE_COLOURS.some((usual) => usual.toLowerCase() === value.toLowerCase());
  return isUsual || !value ? GEOFENCE_COLOURS : [...GEOFENCE_COLOURS, value];
}

export function ColourField({ value, onChange, error }: Props) {
  return (
    <fieldset className="colours">
      <legend>Colour</legend>
      {offered(value).map((colour, index) => (
        <label key={colour} className="colour">
          <input
            type="radio"
            name="colour"
            value={colour}
            checked={colour.toLowerCase() === value.toLowerCase()}
            onChange={() => onChange(colour)}
          />
          <svg viewBox="0 0 24 24" aria-hidden="true">
            <circle cx="12" cy="12" r="9" fill={colour} />
          </svg>
          <span className="unseen">{NAMES[index] ?? colour}</span>
        </label>
      ))}
      {error && <p className="refused">{error}</p>}
    </fieldset>
  );
}
