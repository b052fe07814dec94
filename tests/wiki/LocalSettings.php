<?php
// The settings of the tests' wiki. What a test changes while the wiki runs stands in settings.json of the
// directory that CONDUCTD_WIKI names, and is read again for every request.
$conductdWiki = getenv( 'CONDUCTD_WIKI' );
$conductdSettings = is_file( "$conductdWiki/settings.json" )
	? json_decode( file_get_contents( "$conductdWiki/settings.json" ), true ) : [];

$wgSitename = 'TestWiki';
$wgServer = $wgCanonicalServer = $conductdSettings['server'] ?? 'http://127.0.0.1';
$wgScriptPath = '';
$wgArticlePath = '/index.php/$1';
$wgUsePathInfo = true;
$wgResourceBasePath = '';
$wgLanguageCode = 'en';
$wgSecretKey = $wgUpgradeKey = str_repeat( '0', 64 );
$wgAuthenticationTokenVersion = '1';

// SQLite gives the lock for writing to one at a time. A transaction that takes it only when it first writes
// is refused at once where another wrote since it began to read; one that takes it at its start waits.
$wgDBtype = 'sqlite';
$wgDBname = 'wiki';
$wgDBserver = '';
$wgSQLiteDataDir = "$conductdWiki/data";
$conductdDatabase = [ 'type' => 'sqlite', 'tablePrefix' => '', 'dbDirectory' => $wgSQLiteDataDir, 'trxMode' => 'IMMEDIATE',
	'variables' => [ 'synchronous' => 'NORMAL' ] ];
$wgDBservers = [ $conductdDatabase + [ 'dbname' => 'wiki', 'load' => 1, 'flags' => DBO_DEFAULT ] ];
// Sessions are in a file of their own: their store has another connection than the page it works for.
$wgObjectCaches[CACHE_DB] = [ 'class' => SqlBagOStuff::class,
	'server' => $conductdDatabase + [ 'dbname' => 'wikicache', 'flags' => 0 ] ];
$wgMainCacheType = CACHE_NONE;
$wgSessionCacheType = CACHE_DB;
$wgLocalisationCacheConf['store'] = 'array';
$wgCacheDirectory = "$conductdWiki/cache";
$wgJobRunRate = 0;

$wgEnableEmail = $wgEnableUploads = $wgPingback = false;
$wgRateLimits = [];
$wgPasswordAttemptThrottle = [];
// Guessing passwords is no danger here, and waiting is dear.
$wgPasswordConfig['pbkdf2']['cost'] = '100';
$wgGroupPermissions['suppress']['hideuser'] = true;
$wgGroupPermissions['suppress']['block'] = true;
$wgHideUserContribLimit = false;

wfLoadSkin( 'Vector' );
wfLoadExtension( 'Renameuser' );
wfLoadExtension( 'OAuthDouble' );
$wgOAuthDouble = $conductdSettings['oauth'] ?? [];
