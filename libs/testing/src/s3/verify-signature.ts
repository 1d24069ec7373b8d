import { createHash, createHmac } from 'node:crypto';
import S3Error from 's3rver/lib/models/error.js';
import type { Context, Middleware } from 's3rver';

/** s3rver knows one key, whose secret is the same text. */
export const S3_TEST_KEY = 'S3RVER';
export const S3_TEST_REGION = 'us-east-1';

interface Signed {
  readonly scope: string;
  readonly headers: readonly string[];
  readonly signature: string;
  readonly date: string;
  readonly payloadHash: string;
}

/**
 * Checks signatures of version 4, in the header and in presigned addresses, which s3rver takes unseen. Covers who,
 * where (region and host), what and how long, not the body.
 */
export const verifySignature: Middleware = async (context, next) => {
  const url = new URL(context.req.url ?? '/', 'http://any');
  const signed = url.searchParams.has('X-Amz-Signature') ? fromQuery(url) : fromHeader(context);
  const [accessKeyId, day = '', region = '', ...service] = signed.scope.split('/');
  if (accessKeyId !== S3_TEST_KEY) {
    throw new S3Error('InvalidAccessKeyId', 'The AWS Access Key Id you provided does not exist in our records.');
  }
  if (region !== S3_TEST_REGION) {
    throw new S3Error(
      'AuthorizationHeaderMalformed',
      `The authorization header is malformed; the region '${region}' is wrong; expecting '${S3_TEST_REGION}'`,
      { Region: S3_TEST_REGION },
    );
  }
  const text = [
    'AWS4-HMAC-SHA256',
    signed.date,
    [day, region, ...service].join('/'),
    sha256(canonicalRequest(context, url, signed)),
  ].join('\n');
  const key = ['s3', 'aws4_request'].reduce(hmac, hmac(hmac(`AWS4${S3_TEST_KEY}`, day), region));
  if (hmac(key, text).toString('hex') === signed.signature) return next();
  throw new S3Error(
    'SignatureDoesNotMatch',
    'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
  );
};

function canonicalRequest({ req }: Context, url: URL, { headers, payloadHash }: Signed): string {
  const query = [...url.searchParams]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&');
  const lines = headers.map((name) => `${name}:${String(req.headers[name] ?? '').trim()}\n`).join('');
  return [req.method, url.pathname, query, lines, headers.join(';'), payloadHash].join('\n');
}

function fromHeader({ headers }: Context): Signed {
  const fields = new Map(
    (headers.authorization ?? '')
      .replace(/^AWS4-HMAC-SHA256 /, '')
      .split(/, */)
      .map((field): [string, string] => {
        const at = field.indexOf('=');
        return [field.slice(0, at), field.slice(at + 1)];
      }),
  );
  if (!fields.has('Signature')) throw new S3Error('AccessDenied', 'Access Denied');
  return {
    scope: fields.get('Credential') ?? '',
    headers: (fields.get('SignedHeaders') ?? '').split(';'),
    signature: fields.get('Signature') ?? '',
    date: headers['x-amz-date'] ?? '',
    payloadHash: headers['x-amz-content-sha256'] ?? '',
  };
}

function fromQuery({ searchParams }: URL): Signed {
  const of = (name: string): string => searchParams.get(`X-Amz-${name}`) ?? '';
  const date = of('Date');
  const at = Date.parse(date.replace(/^(....)(..)(..T..)(..)(..Z)$/, '$1-$2-$3:$4:$5'));
  if (!(Date.now() < at + Number(of('Expires')) * 1000)) throw new S3Error('AccessDenied', 'Request has expired');
  return {
    scope: of('Credential'),
    headers: of('SignedHeaders').split(';'),
    signature: of('Signature'),
    date,
    payloadHash: 'UNSIGNED-PAYLOAD',
  };
}

const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
