export { startGateway, type GatewayOptions, type RunningService } from './gateway.js';
