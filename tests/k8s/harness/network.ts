import { z } from 'zod';
import { type Manifest, ofKind } from './manifest.js';

const selectorSchema = z.strictObject({ matchLabels: z.record(z.string(), z.string()).default({}) });
const peerSchema = z.strictObject({
  podSelector: selectorSchema.optional(),
  namespaceSelector: selectorSchema.optional(),
  ipBlock: z.strictObject({ cidr: z.string(), except: z.array(z.string()).default([]) }).optional(),
});
const portsSchema = z.array(z.strictObject({ protocol: z.string(), port: z.number() }));
const policySchema = z.strictObject({
  podSelector: z.union([selectorSchema, z.strictObject({}).transform(() => ({ matchLabels: {} }))]),
  policyTypes: z.array(z.enum(['Ingress', 'Egress'])),
  ingress: z.array(z.strictObject({ from: z.array(peerSchema), ports: portsSchema })).default([]),
  egress: z.array(z.strictObject({ to: z.array(peerSchema), ports: portsSchema })).default([]),
});

type Labels = Readonly<Record<string, string>>;

/** One end of a connection: a pod of this namespace, a pod of another one, or an address outside. */
export type End = { readonly pod: Labels; readonly namespace?: Labels } | { readonly address: string };

interface Wish {
  readonly from: End;
  readonly to: End;
  readonly port: number;
  readonly protocol?: 'TCP' | 'UDP';
}

/** What the network policies of a namespace let through, by the rules of Kubernetes. */
export class Network {
  private readonly policies: z.output<typeof policySchema>[];

  constructor(manifests: readonly Manifest[]) {
    this.policies = ofKind(manifests, 'NetworkPolicy').map((manifest) => policySchema.parse(manifest['spec']));
  }

  /** Both sides have to allow it; a pod that no policy selects in a direction is open in that direction. */
  allows({ from, to, port, protocol = 'TCP' }: Wish): boolean {
    const isPort = (one: { port: number; protocol: string }) => one.port === port && one.protocol === protocol;
    const out = this.selecting(from, 'Egress');
    const into = this.selecting(to, 'Ingress');
    const mayLeave = out
      .flatMap(({ egress }) => egress)
      .some((rule) => reaches(rule.to, to) && rule.ports.some(isPort));
    const mayEnter = into
      .flatMap(({ ingress }) => ingress)
      .some((rule) => reaches(rule.from, from) && rule.ports.some(isPort));
    return (out.length === 0 || mayLeave) && (into.length === 0 || mayEnter);
  }

  private selecting(end: End, direction: 'Ingress' | 'Egress') {
    if (!isHere(end)) return [];
    return this.policies.filter(
      ({ podSelector, policyTypes }) => policyTypes.includes(direction) && hasAll(end.pod, podSelector.matchLabels),
    );
  }
}

const isHere = (end: End): end is { readonly pod: Labels } => 'pod' in end && end.namespace === undefined;

const hasAll = (labels: Labels, wanted: Labels): boolean =>
  Object.entries(wanted).every(([name, value]) => labels[name] === value);

const reaches = (peers: readonly z.output<typeof peerSchema>[], end: End): boolean =>
  peers.some((peer) => isPeer(peer, end));

function isPeer({ podSelector, namespaceSelector, ipBlock }: z.output<typeof peerSchema>, end: End): boolean {
  if ('address' in end) {
    return (
      ipBlock !== undefined &&
      isIn(end.address, ipBlock.cidr) &&
      !ipBlock.except.some((cidr) => isIn(end.address, cidr))
    );
  }
  if (ipBlock) return false;
  const isNamespace = namespaceSelector
    ? end.namespace !== undefined && hasAll(end.namespace, namespaceSelector.matchLabels)
    : end.namespace === undefined;
  return isNamespace && (podSelector === undefined || hasAll(end.pod, podSelector.matchLabels));
}

function isIn(address: string, cidr: string): boolean {
  const [network = '', bits = '32'] = cidr.split('/');
  const blockSize = 2 ** (32 - Number(bits));
  return Math.floor(numberOf(address) / blockSize) === Math.floor(numberOf(network) / blockSize);
}

const numberOf = (address: string): number => address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0);
