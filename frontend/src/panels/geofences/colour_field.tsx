import { GEOFENCE_COLOURS } from "../../fleet/look";

const NAMES = ["Teal", "Violet", "Amber", "Pink", "Blue", "Green"];

type Props = { value: string; onChange: (colour: string) => void; error: string | undefined };

export function ColourField({ value, onChange, error }: Props) {
  return (
    <fieldset className="colours">
      <legend>Colour</legend>
      {GEOFENCE_COLOURS.map((colour, index) => (
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
