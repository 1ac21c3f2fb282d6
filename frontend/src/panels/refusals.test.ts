import { describe, expect, it } from "vitest";
import { fieldErrors } from "./refusals";

const refusal = (errors: { pointer: string; detail: string }[]) =>
  Object.assign(new Error("The geofence was refused."), {
    status: 400,
    details: { title: "", detail: "", errors },
  });

describe("field errors", () => {
  it("stand at their field, in the server's words", () => {
    const error = refusal([
      { pointer: "/name", detail: "Taken." },
      { pointer: "#/shape/coordinates/0", detail: "Crosses itself." },
      { pointer: "/secret", detail: "Odd." },
    ]);
    expect(fieldErrors(error, ["name", "shape"])).toEqual({
      name: "Taken.",
      shape: "Crosses itself.",
      "": "Odd.",
    });
  });

  it("fall back to the message of the whole", () => {
    expect(fieldErrors(refusal([]), ["name"])).toEqual({ "": "The geofence was refused." });
    expect(fieldErrors(null, [])).toEqual({});
  });
});
