/**
 * The questions of the demo. `sql` gets the tables by the name they were wished for, as `datasets.<table>`, and the
 * results of the statements before by their key, as `results.<id>`.
 *
 * @typedef {object} Statement
 * @property {string} key
 * @property {string} title
 * @property {string} shows
 * @property {(names: Readonly<Record<string, string>>) => string} sql
 * @property {Record<string, string | number>} [params]
 */

/** A flight is late from 15 minutes on, as the US Department of Transportation counts. @type {readonly Statement[]} */
export const STATEMENTS = [
  {
    key: 'hours',
    title: 'At which hours do late flights leave?',
    shows: 'an aggregate over the Parquet file',
    sql: ({ flights }) => `
SELECT extract(hour FROM date) AS hour,
       count(*) AS flights,
       round(100 * avg(CASE WHEN delay >= 15 THEN 1 ELSE 0 END), 1) AS late_percent,
       median(delay) AS median_delay
FROM ${flights}
GROUP BY hour
HAVING count(*) >= 100
ORDER BY late_percent DESC`,
  },
  {
    key: 'departures',
    title: 'From which airports?',
    shows: 'a join of three files: Parquet, CSV, CSV with another delimiter',
    sql: ({ flights, airports, states }) => `
SELECT a.iata, a.name AS airport, a.city, s.name AS state,
       count(*) AS flights,
       round(100 * avg(CASE WHEN f.delay >= 15 THEN 1 ELSE 0 END), 1) AS late_percent
FROM ${flights} f
JOIN ${airports} a ON a.iata = f.origin
LEFT JOIN ${states} s ON s.usps = a.state
GROUP BY ALL
ORDER BY flights DESC, a.iata`,
  },
  {
    key: 'days',
    title: 'On which days was it worst, against the week before?',
    shows: 'window functions',
    sql: ({ flights }) => `
WITH daily AS (
  SELECT CAST(date AS DATE) AS day,
         100 * avg(CASE WHEN delay >= 15 THEN 1 ELSE 0 END) AS late
  FROM ${flights}
  GROUP BY day
)
SELECT rank() OVER (ORDER BY late DESC) AS worst,
       day,
       round(late, 1) AS late_percent,
       round(avg(late) OVER (ORDER BY day ROWS BETWEEN 7 PRECEDING AND 1 PRECEDING), 1) AS week_before
FROM daily
ORDER BY worst, day`,
  },
  {
    key: 'routes',
    title: 'Where do people fly from Chicago?',
    shows: 'bound parameters',
    params: { city: 'Chicago', miles: 1000 },
    sql: ({ flights, airports }) => `
SELECT a.city || ', ' || a.state AS destination, f.distance AS miles, count(*) AS flights
FROM ${flights} f
JOIN ${airports} a ON a.iata = f.destination
WHERE f.origin IN (SELECT iata FROM ${airports} WHERE city = $city)
  AND f.distance >= $miles
GROUP BY ALL
ORDER BY flights DESC, destination, miles`,
  },
  {
    key: 'states',
    title: 'Late flights and bird strikes, state by state',
    shows: 'a query over the second result, joined with the gzipped CSV',
    sql: ({ departures, bird_strikes }) => `
WITH late AS (
  SELECT state, sum(flights) AS flights,
         round(sum(flights * late_percent) / sum(flights), 1) AS late_percent,
         arg_max(iata, flights) AS busiest
  FROM ${departures}
  GROUP BY state
), birds AS (
  SELECT CASE "Origin State" WHEN 'DC' THEN 'District of Columbia' ELSE "Origin State" END AS state,
         count(*) AS bird_strikes,
         sum("Cost Total $") AS cost_usd
  FROM ${bird_strikes}
  GROUP BY ALL
)
SELECT state, busiest, flights, late_percent, bird_strikes, cost_usd
FROM late
JOIN birds USING (state)
ORDER BY cost_usd DESC`,
  },
  {
    key: 'earthquakes',
    title: 'Which airports felt the ground move?',
    shows: 'nested JSON, joined by the distance on the globe',
    sql: ({ earthquakes, airports }) => `
WITH quakes AS (
  SELECT properties.mag AS magnitude, properties.place AS place,
         radians(geometry.coordinates[1]) AS lon, radians(geometry.coordinates[2]) AS lat
  FROM ${earthquakes}
), pairs AS (
  SELECT magnitude, place, iata, name AS airport,
         round(2 * 6371 * asin(sqrt(
           pow(sin((radians(latitude) - lat) / 2), 2)
           + cos(lat) * cos(radians(latitude)) * pow(sin((radians(longitude) - lon) / 2), 2)
         )), 1) AS km
  FROM quakes CROSS JOIN ${airports}
)
SELECT magnitude, place, iata, airport, km
FROM pairs
WHERE km <= 25
ORDER BY magnitude DESC, km`,
  },
];
