import { createTheme, type MantineColorsTuple } from "@mantine/core";

/** The blue of "moving", from mist to ink; shade 8 carries white text at AA. */
const sea: MantineColorsTuple = [
  "#EAF4FB",
  "#D3E7F5",
  "#A6CFEA",
  "#75B4DE",
  "#4E9DD3",
  "#358ECB",
  "#1F80BF",
  "#0F6DAA",
  "#005A9C",
  "#004A82",
];

/** Slate in place of the kit's warm greys, so that fields belong to their panels. */
const dark: MantineColorsTuple = [
  "#E8EEF4",
  "#C3CEDA",
  "#9FADBC",
  "#7C8B9C",
  "#3A4958",
  "#26323F",
  "#1A2531",
  "#131C26",
  "#0E151D",
  "#0A1017",
];

export const theme = createTheme({
  primaryColor: "sea",
  primaryShade: 8,
  autoContrast: true,
  colors: { sea, dark },
  fontFamily: "Inter, system-ui, sans-serif",
  headings: { fontFamily: "Inter, system-ui, sans-serif", fontWeight: "600" },
  defaultRadius: "md",
  cursorType: "pointer",
  respectReducedMotion: true,
});
