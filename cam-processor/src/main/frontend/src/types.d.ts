// What the writer puts into the page. ReportIndex.java and CaptureBlock.java are the other side of it.

/** [name, label, probability, target labels, time ms or -1, model, right classes, source, numbers, layers] */
export type Row = [string, string, number | null, string[], number, number, string[], number, (number | null)[], number[]];

/** A run and a model are written as in manifest.json. */
export interface Run {
  started: string; ended?: string; camhookVersion: string; host: string; pid: number; config?: string;
  versions: Record<string, string>;
  counters?: { fired: number; written: number; dropped: number; failed: number };
  losses?: Record<string, number>;
}
export interface Module { path: string; type: string; parameters?: number; outputShape?: number[]; }
export interface ModelInfo { name: string; engine?: string; sha256?: string; parametersSha256?: string; notes: string[]; modules: Module[]; }
export interface Source { path: string; captures: number; removed: number; complete: boolean; damage: string[]; models: ModelInfo[]; runs: Run[]; }
/** [mean, std, min, max, zeros, not finite, norm] */
export type Step = (number | null)[];
export interface Series {
  layer: string; kind: string; steps: number; total: Step; series: Step[];
  at?: number[]; histograms?: number[][]; dead?: [number, number];
}
export interface Metric { id: string; name: string; better: string; unit: string; description: string; }
export interface MetricRow { method: string; values: Record<string, number | null>; spreads: Record<string, [number, number | null]>; }
export interface Curve { metric: string; method: string; points: [string, number | null, (number | null)?][]; }
export interface Metrics { title: string; metrics: Metric[]; rows: MetricRow[]; curves: Curve[]; }
export interface Mean { label: string; m: string; n: number; w: number; h: number; data: string; }

export interface Index {
  version: number; title: string; created: string; camhook: string; thumbsPerBlock: number;
  sources: Source[]; methods: [string, string][]; colormaps: [string, string][];
  models: string[]; layers: string[]; numbers: string[]; total: number; from: number; captures: Row[];
  means: Mean[]; agreement: [string, string, number | null, number][];
  statistics: Series[]; metrics?: Metrics; pairs?: [number, number][];
}

export interface CamMap { t: number; m: string; l?: string; s: number[]; min: number; max: number; values: () => Float32Array; }
export interface Channels {
  l: string; count: number; ow: number; oh: number; w: number; h: number; index: number[]; min: number[]; max: number[];
  weights: (number | null)[][]; data: string; bytes: Uint8Array;
}
export interface Mask { label: string; w: number; h: number; bits: string; bytes: Uint8Array; }
export interface Box { label: string; score: number | null; box: number[]; }
export interface Capture {
  i: number; id: string; name: string; model: string; time: string;
  picture?: { w: number; h: number; src: string }; image: HTMLImageElement | null;
  signal?: { c: number; n: number; min: number; max: number; data: string; values: () => Float32Array };
  volume?: { d: number; h: number; w: number; min: number; max: number; data: string; bytes: Uint8Array };
  tokens?: string[]; boxes?: Box[];
  segmentation?: { w: number; h: number; labels: string[]; data: string; bytes: Uint8Array };
  predictions: { i: number; label: string; p: number | null; score: number | null }[];
  targets: { i: number; label: string; score: number | null }[];
  maps: CamMap[]; levels: string; channels: Channels[]; masks: Mask[]; meta: [string, string][]; truth: string[];
  concepts?: { l: string; src: string; rest: number | null; list: { colour: string; share: number; says: string[] }[] };
}
/** What is explained, by what, where. */
export interface Selection { i: number; t: number; method: string; layer: string; }
/** A heatmap ready to be painted: values 0..1, or -1..1 when the sign is kept. */
export interface Heat { values: Float32Array; w: number; h: number; signed: boolean; low: number; high: number; maps: CamMap[]; raw: boolean; }
