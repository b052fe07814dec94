<?php
namespace MediaWiki\Extension\OAuthDouble;

use MediaWiki\MediaWikiServices;

/**
 * What the double remembers (codes, tokens, consents, in the wiki's own object stash) and its settings:
 * `key` signs and verifies, `oldKey` still verifies; `clients` id → callback, secret, ask; `ttl`;
 * `newSubject`; `fault`.
 */
class Store {
	public static function setting( string $name, $default = null ) {
		return MediaWikiServices::getInstance()->getMainConfig()->get( 'OAuthDouble' )[$name] ?? $default;
	}

	public static function client( ?string $id ): ?array {
		return self::setting( 'clients', [] )[$id ?? ''] ?? null;
	}

	private static function key( string $kind, string $id ): string {
		return MediaWikiServices::getInstance()->getMainObjectStash()->makeKey( 'oauthdouble', $kind, $id );
	}

	public static function put( string $kind, string $id, $value, int $ttl ): void {
		MediaWikiServices::getInstance()->getMainObjectStash()->set( self::key( $kind, $id ), $value, $ttl );
	}

	public static function get( string $kind, string $id ) {
		return MediaWikiServices::getInstance()->getMainObjectStash()->get( self::key( $kind, $id ) );
	}

	/** Reads and forgets: whoever comes second gets nothing. */
	public static function take( string $kind, string $id ) {
		$stash = MediaWikiServices::getInstance()->getMainObjectStash();
		$lock = $stash->getScopedLock( self::key( "$kind-lock", $id ), 5 );
		$value = $lock ? self::get( $kind, $id ) : false;
		$stash->delete( self::key( $kind, $id ) );
		return $value;
	}

	/** A user's consent to a client; every token hangs on the one under which it was issued. */
	public static function consent( int $user, string $client ) {
		return self::get( 'consent', "$user-$client" );
	}

	public static function allow( int $user, string $client ): string {
		$consent = bin2hex( random_bytes( 8 ) );
		self::put( 'consent', "$user-$client", $consent, 86400 );
		return $consent;
	}

	public static function withdraw( int $user, string $client ): void {
		self::take( 'consent', "$user-$client" );
	}
}
