import "@mantine/core/styles.css";
import "@fontsource/inter/400.css";
import "@fontsource/inter/500.css";
import "@fontsource/inter/600.css";
import "@fontsource/noto-sans/400.css";
// With the page: a chunk that failed to load once is not asked for its styles again.
import "maplibre-gl/dist/maplibre-gl.css";
import "./tokens.css";
import "./shell.css";
import "./stage.css";
import "./lists.css";
import "./geofences.css";
import "./phone.css";
