// SPDX-License-Identifier: Apache-2.0

internal import HTTP
internal import Platform

// Answering on a worker, which is how everything is answered that waits for the disk.

extension Exchange {
  /// Suspends the request, runs `work` on a worker and answers with what it gives or throws.
  ///
  /// - Parameters:
  ///   - busy: what is said where the worker's queue is full.
  ///   - failure: the answer to an error, `busy` among them.
  ///   - work: gives nil where nobody wants an answer any more, or where it has begun one itself.
  func answer(
    on worker: Worker, busy: any Error, failure: @escaping @Sendable (any Error) -> Response,
    _ work: @escaping @Sendable (SuspendedExchange) throws -> Response?
  ) {
    let token = suspend()
    let isQueued = worker.submit {
      do {
        if let response = try work(token) { token.complete(response) }
      } catch {
        token.complete(failure(error))
      }
    }
    if !isQueued { token.complete(failure(busy)) }
  }

  /// The same for readings of Rampart's own API.
  func answer(on worker: Worker, _ work: @escaping @Sendable () throws -> Response) {
    let busy = RequestError.unavailable("too many queries are waiting: try again")
    answer(on: worker, busy: busy, failure: { Answers.error($0) }) { _ in try work() }
  }

  /// The same for Prometheus' API, in its words.
  ///
  /// - Parameter work: gives nil as above.
  func answerPrometheus(
    on worker: Worker, _ work: @escaping @Sendable (PrometheusParameters, SuspendedExchange) throws -> Response?
  ) {
    let parameters: PrometheusParameters
    do throws(PrometheusError) {
      parameters = try PrometheusParameters(self)
    } catch {
      return respond(error.response)
    }
    let busy = PrometheusError(.unavailable, "too many queries are waiting: try again")
    answer(on: worker, busy: busy, failure: { PrometheusError($0).response }) { token in try work(parameters, token) }
  }

  /// The same for changes. A client that goes away has asked all the same, so the change is made.
  ///
  /// - Parameter read: what is asked for, while the request is at hand.
  func change<Asked: Sendable>(
    on administration: Worker, _ read: (Exchange) throws(RequestError) -> Asked,
    _ work: @escaping @Sendable (Asked) throws -> Response
  ) {
    let asked: Asked
    do throws(RequestError) {
      asked = try read(self)
    } catch {
      return respond(Answers.error(error))
    }
    let busy = RequestError.unavailable("too many changes are waiting: try again")
    answer(on: administration, busy: busy, failure: { Answers.error($0) }) { _ in try work(asked) }
  }
}
