/** A value in the JSON of the contract: what a double can't hold exactly is a string. */
export type ProfileValue = string | number | boolean;

/** A value and how often it occurs. */
export interface ProfiledValue {
  readonly value: ProfileValue;
  readonly count: number;
}

/** A part of the range of a column: values from `from` up to, but not with, `to`; the last part includes its end. */
export interface ProfileBucket {
  readonly from: ProfileValue;
  readonly to: ProfileValue;
  readonly count: number;
}

/** Values that so many of a column's values are not above: `p05` a twentieth of them, `p50` half. */
export interface ProfileQuantiles {
  readonly p05: ProfileValue;
  readonly p25: ProfileValue;
  readonly p50: ProfileValue;
  readonly p75: ProfileValue;
  readonly p95: ProfileValue;
}

/** What the values of a column are like, in the words of the contract. */
export interface ColumnProfile {
  /** Exact, for every column. */
  readonly null_count: number;
  /** Null for a column that was not looked at, as for everything below. */
  readonly distinct_count: number | null;
  /** Exact; long texts are cut. Null also where there is no value but NULL. */
  readonly min: ProfileValue | null;
  readonly max: ProfileValue | null;
  /** Of numbers, those that are finite. */
  readonly mean: ProfileValue | null;
  /** Of numbers and times. */
  readonly quantiles: ProfileQuantiles | null;
  /** The most frequent first. */
  readonly top_values: readonly ProfiledValue[] | null;
  /** Of numbers and times: parts of the same width, without those that hold nothing. */
  readonly histogram: readonly ProfileBucket[] | null;
}

/** What the values of a table are like. */
export interface TableProfile {
  /** Whether distinct counts, quantiles, top values and histograms are estimates. */
  readonly approximate: boolean;
  /** Rows that quantiles, top values and histograms were taken from. */
  readonly sampled_row_count: number;
  /** In the order of the columns of the table. */
  readonly columns: readonly ColumnProfile[];
}
