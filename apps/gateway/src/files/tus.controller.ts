import { Controller, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Caller } from '@millrace/auth';
import type { Principal } from '@millrace/domain';
import { Operation } from '@millrace/http';
import { TusDoor } from './tus-door.js';

/** Uploads in pieces, by tus 1.0. */
@Controller()
export class TusController {
  constructor(private readonly door: TusDoor) {}

  @Operation('file.tus_options')
  options(@Req() request: FastifyRequest, @Res() reply: FastifyReply, @Caller() caller: Principal): Promise<void> {
    return this.door.answer(caller, { request, reply });
  }

  @Operation('file.tus_create')
  create(@Req() request: FastifyRequest, @Res() reply: FastifyReply, @Caller() caller: Principal): Promise<void> {
    return this.door.answer(caller, { request, reply });
  }

  @Operation('file.tus_offset')
  offset(@Req() request: FastifyRequest, @Res() reply: FastifyReply, @Caller() caller: Principal): Promise<void> {
    return this.door.answer(caller, { request, reply });
  }

  @Operation('file.tus_append')
  append(@Req() request: FastifyRequest, @Res() reply: FastifyReply, @Caller() caller: Principal): Promise<void> {
    return this.door.answer(caller, { request, reply });
  }

  @Operation('file.tus_delete')
  delete(@Req() request: FastifyRequest, @Res() reply: FastifyReply, @Caller() caller: Principal): Promise<void> {
    return this.door.answer(caller, { request, reply });
  }
}
