/**
 * The files of `examples/` and how each is uploaded and read. What `source` leaves out, the server finds by itself.
 *
 * @typedef {object} Sample
 * @property {string} file name below `examples/`
 * @property {string} label
 * @property {string} table the name that is wished for
 * @property {string} about
 * @property {string} contentType
 * @property {'gzip' | 'zstd'} [contentEncoding]
 * @property {Omit<import('@millrace/contract').CreateDatasetBody['source'], 'upload_id' | 'inline'>} [source]
 */

/** @type {readonly Sample[]} */
export const SAMPLES = [
  {
    file: 'flights-2001.parquet',
    label: 'Flights, January to June 2001',
    table: 'flights',
    about: 'Parquet',
    contentType: 'application/vnd.apache.parquet',
  },
  {
    file: 'airports.csv',
    label: 'Airports of the United States',
    table: 'airports',
    about: 'CSV',
    contentType: 'text/csv',
  },
  {
    file: 'us-states.psv',
    label: 'States and their codes',
    table: 'states',
    about: 'CSV with | between fields',
    contentType: 'text/plain',
    source: {
      format: 'csv',
      options: { delimiter: '|', header: true },
      // Codes, not numbers: 01 stays 01.
      columns: { fips: { type: 'VARCHAR' } },
    },
  },
  {
    file: 'bird-strikes.csv.gz',
    label: 'Bird strikes, 1990 to 2002',
    table: 'bird_strikes',
    about: 'CSV in gzip',
    contentType: 'text/csv',
    contentEncoding: 'gzip',
  },
  {
    file: 'earthquakes.ndjson',
    label: 'Earthquakes of a week in 2018',
    table: 'earthquakes',
    about: 'NDJSON, nested',
    contentType: 'application/x-ndjson',
  },
];
