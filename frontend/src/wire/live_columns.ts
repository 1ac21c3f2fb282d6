// Written by `make schema` from positions/live_columns.py: not to be edited.

/** Columns of integers that fit 32 bits, of ms since 1970, and of one name out of several. */
export const QUANTITIES = ["lon_e7", "lat_e7", "speed_mms", "course_cdeg", "accuracy_dm", "estimated_speed_mms", "battery"] as const;
export const TIMES = ["fix_at", "measured_at", "received_at", "motion_since"] as const;
export const CHOICES = ["method", "motion"] as const;
export type Quantity = (typeof QUANTITIES)[number];
export type Time = (typeof TIMES)[number];
export type Choice = (typeof CHOICES)[number];

export const NAMES = {
  method: ["gnss", "wifi", "ble", "cell", "lora_tdoa", "lora_rssi", "network", "gateway", "manual"],
  motion: ["moving", "resting"],
} as const satisfies Record<Choice, readonly string[]>;
export type Named<C extends Choice> = (typeof NAMES)[C][number];

/** An asset as last reported; null is "not reported". */
export type LiveRow = {
  id: number;
  /** 1e-7 degree: longitude of the fix */
  lon_e7: number | null;
  /** 1e-7 degree: latitude of the fix */
  lat_e7: number | null;
  /** ms since 1970: time of the fix, the newest; null where the asset never had one */
  fix_at: number | null;
  /** ms since 1970: time of the newest observation */
  measured_at: number | null;
  /** ms since 1970: when the newest observation was received */
  received_at: number | null;
  /** mm/s: speed of the fix */
  speed_mms: number | null;
  /** 0.01 degree: course of the fix */
  course_cdeg: number | null;
  /** 0.1 m: accuracy of the fix */
  accuracy_dm: number | null;
  /** one of gnss, wifi, ble, cell, lora_tdoa, lora_rssi, network, gateway, manual: how the fix was found */
  method: Named<"method"> | null;
  /** one of moving, resting: motion of the asset; null if unknown */
  motion: Named<"motion"> | null;
  /** ms since 1970: since when it moves or rests */
  motion_since: number | null;
  /** mm/s: speed between the last two fixes, where the device reports none */
  estimated_speed_mms: number | null;
  /** per cent: the newest `battery.level`, where it is a number */
  battery: number | null;
};
