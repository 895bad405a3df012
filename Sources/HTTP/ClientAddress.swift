// SPDX-License-Identifier: Apache-2.0

// Who is at the other end, as the key of the limit per client and as text.

internal import Glibc

// The address without the port; an IPv4 address has the form ::ffff:a.b.c.d, so that both families share one key.
struct ClientAddress: Hashable, Sendable {
  let high: UInt64
  let low: UInt64

  init(_ address: UnsafePointer<sockaddr>?) {
    guard let address = unsafe address else {
      (high, low) = (0, 0)
      return
    }
    let raw = unsafe UnsafeRawPointer(address)
    switch unsafe Int32(address.pointee.sa_family) {
    case AF_INET:
      let word = unsafe raw.loadUnaligned(
        fromByteOffset: MemoryLayout<sockaddr_in>.offset(of: \.sin_addr)!, as: UInt32.self)
      (high, low) = (0, UInt64(0xFFFF) << 32 | UInt64(UInt32(bigEndian: word)))
    case AF_INET6:
      let start = MemoryLayout<sockaddr_in6>.offset(of: \.sin6_addr)!
      let words = unsafe raw.loadUnaligned(fromByteOffset: start, as: (UInt64, UInt64).self)
      (high, low) = (UInt64(bigEndian: words.0), UInt64(bigEndian: words.1))
    default:
      (high, low) = (0, 0)
    }
  }

  var text: String {
    if high == 0, low >> 32 == 0xFFFF {
      return (0..<4).reversed().map { String(low >> (UInt64($0) * 8) & 0xFF) }.joined(separator: ".")
    }
    var words = (high.bigEndian, low.bigEndian)
    return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { buffer in
      guard unsafe inet_ntop(AF_INET6, &words, buffer.baseAddress!, socklen_t(buffer.count)) != nil else { return "" }
      return unsafe String(cString: buffer.baseAddress!)
    }
  }
}
